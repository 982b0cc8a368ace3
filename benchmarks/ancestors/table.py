#!/usr/bin/env python3
"""Write the tables in docs/ancestors.md from benchmarks/results/ancestors.

benchmarks/ancestors/table.py            rewrite them
benchmarks/ancestors/table.py --check    exit with 1 if the page does not show what the results say

A table stands between ``<!-- ancestors NAME -->`` and ``<!-- end -->``; its text is never edited by hand.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rows import PROTOCOLS, ROWS, Row

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "ancestors"
PAGE = ROOT / "docs" / "ancestors.md"
MARK = re.compile(r"(<!-- ancestors (?P<name>\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
AGREEMENT = 0.97
"""What every model of the zoo has to keep on conversion; less is set in bold."""
CLAIMED_LEAD = 18.46
"""Points by which the deep network of Alizadeh and Fazel is said to beat their shallow one."""

Results = Mapping[tuple[str, str], Mapping[str, Any]]


def read_results(folder: Path) -> Results:
    """Return (row, protocol) -> result."""
    documents = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return {(document["row"], document["protocol"]): document for document in documents}


def claims_table(results: Results) -> str:
    """Return claim, both accuracies, and what int8 costs, one line for each row."""
    lines = [
        "| row | system | claimed | their protocol | honest | honest, macro F1 | honest, int8 | same class | file "
        "| a face | epochs |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in ROWS:
        theirs, honest = (results.get((row.name, protocol)) for protocol in PROTOCOLS)
        cells = [f"`{row.name}`", row.system, f"{row.claim:.2f}%" if row.claim is not None else ""]
        if not theirs and not honest:
            cells += [f"not run ({row.missing})" if row.missing else "not run", *[""] * 7]
        else:
            int8 = (honest or theirs or {})["int8"]
            cells += [
                _top1(theirs, "float"),
                _top1(honest, "float"),
                f"{honest['float']['macro_f1']:.1%}" if honest else "",
                _top1(honest, "int8"),
                _agreement(*(each for each in (theirs, honest) if each)),
                f"{int8['bytes'] / 1024:,.0f} KB",
                f"{int8['us']:,.0f} µs",
                _epochs(row, theirs, honest),
            ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", _conditions(results)])


def _top1(result: Mapping[str, Any] | None, kind: str) -> str:
    if not result:
        return "not run"
    return f"{result[kind]['top1']:.1%} ± {result[kind]['top1_se']:.1%}"


def _agreement(*results: Mapping[str, Any]) -> str:
    shares = [result["int8"]["agreement"] for result in results]
    return ", ".join(f"{share:.1%}" if share >= AGREEMENT else f"**{share:.1%}**" for share in shares)


def _epochs(row: Row, *results: Mapping[str, Any] | None) -> str:
    done = [result["trained_epochs"] for result in results if result and "trained_epochs" in result]
    return f"{', '.join(map(str, dict.fromkeys(done)))} of {row.epochs}" if done else ""


def _conditions(results: Results) -> str:
    if not results:
        return "No row has been run."
    machines = {r["machine"]["processor"]: r["machine"] for r in results.values()}
    names = "; ".join(f"{m['cores']}-core {m['architecture']} ({m['processor']})" for m in machines.values())
    lent: dict[str, dict[str, None]] = {}
    for (row, _), result in results.items():
        for accelerator in result.get("accelerators", ()):
            lent.setdefault(accelerator, {})[f"`{row}`"] = None
    trained = "".join(f" Trained on an {name}: {', '.join(rows)}." for name, rows in lent.items())
    return f"Trained and timed on: {names}.{trained}"


def leaks_table(results: Results) -> str:
    """Return what the leaky tests share with Training, and the time that the trainings took."""
    lines = [
        "| row | protocol | trained on | tested on | of these, copied in Training "
        "| ... or made from, or used for, one there | right about those | about the others | kept epoch | training |",
        "|---|---|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in ROWS:
        for protocol in PROTOCOLS:
            result = results.get((row.name, protocol))
            if not result or "members" in result:
                continue
            leak = result.get("leak", {})
            found = (leak.get(name) for name in ("identical", "derived", "top1_derived", "top1_others"))
            shares = " | ".join("" if share is None else f"{share:.1%}" for share in found)
            lines.append(
                f"| `{row.name}` | {protocol} | {result['training_images']:,} | {result['images']:,} of "
                f"{result['split']} | {shares} | {result['kept_epoch']} | {result['train_seconds'] / 60:.0f} min |"
            )
    return "\n".join(lines) if len(lines) > 2 else "No row has been run."


def lead(results: Results) -> str:
    """Return by how much the deep network beats the shallow one."""
    lines = []
    for protocol in PROTOCOLS:
        deep, shallow = (results.get((f"stanford-{name}", protocol)) for name in ("deep", "shallow"))
        if deep and shallow:
            points = 100 * (deep["float"]["top1"] - shallow["float"]["top1"])
            error = 100 * math.hypot(deep["float"]["top1_se"], shallow["float"]["top1_se"])
            epochs = f"{deep['trained_epochs']} and {shallow['trained_epochs']} epochs"
            lines.append(f"{points:+.1f} ± {error:.1f} points ({protocol}, after {epochs})")
    found = "; ".join(lines) or "not run"
    return f"Deep over shallow: {CLAIMED_LEAD} points claimed; found: {found}."


def commands(results: Results) -> str:
    """Return the command of each row, and of those that were run the commands behind it."""
    lines = []
    for row in ROWS:
        found = [results[row.name, protocol] for protocol in PROTOCOLS if (row.name, protocol) in results]
        only = " ".join(f"--only {name}" for name in (*row.members, row.name))
        other = " --affectnet affectnet" if row.other == "affectnet" else ""
        lines.append(f"    benchmarks/ancestors/run.py fer2013.csv ckplus48.zip {only}{other}")
        lines += [f"        {command}" for result in found for command in result.get("commands", ())]
    return "\n".join(lines)


def part(name: str, results: Results) -> str:
    """Return what stands between the marks of `name`."""
    return {"claims": claims_table, "leaks": leaks_table, "lead": lead, "commands": commands}[name](results)


def main() -> None:
    """Rewrite or check the page."""
    results = read_results(RESULTS)
    text = PAGE.read_text()
    new = MARK.sub(lambda found: f"{found[1]}{part(found['name'], results)}\n{found[3]}", text)
    if "--check" not in sys.argv:
        PAGE.write_text(new)
    elif new != text:
        raise SystemExit(f"{PAGE.name}: not what {RESULTS} says; run benchmarks/ancestors/table.py")


if __name__ == "__main__":
    main()
