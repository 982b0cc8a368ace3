#!/usr/bin/env python3
"""Check the results that came from boards, and write the page that shows them.

    benchmarks/boards.py                 check benchmarks/results/boards/*.json and write docs/boards.md
    benchmarks/boards.py --check         only check, the page too
    benchmarks/boards.py FILE...         only check these files, before they are sent in

A result is what ``fer-edge bench --data fer2013.csv --out FILE`` writes. It must fit
device/bench/bench.schema.json, follow the protocol, and not contradict itself.
Needs the package jsonschema (``fer-edge[dev]``).
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "boards"
PAGE = ROOT / "docs" / "boards.md"
SCHEMA = Draft202012Validator(json.loads((ROOT / "device" / "bench" / "bench.schema.json").read_text()))
FILE_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.json")
MARK = re.compile(r"(<!-- boards -->\n).*?(<!-- end -->)", re.DOTALL)
RASPBERRY_PI = "Raspberry Pi"
SHIPPED = {
    hashlib.sha256(path.read_bytes()).hexdigest(): path.name for path in (ROOT / "edge" / "models").glob("*.tflite")
}
"""SHA-256 of a shipped model -> its file's name."""


def complaints(name: str, text: str) -> Iterator[str]:
    """Yield what is wrong with a result, one line each."""
    if not FILE_NAME.fullmatch(name):
        yield "its name: expected small letters, digits and hyphens, such as pi4-os12-compact.json"
    try:
        result = json.loads(text, parse_constant=lambda word: word)  # NaN and infinity become text, which does not fit
    except ValueError as error:
        yield f"it is no JSON ({error})"
        return
    misfits = sorted(SCHEMA.iter_errors(result), key=lambda each: str(each.json_path))
    if misfits:
        yield from (f"{misfit.json_path}: {misfit.message[:200]}" for misfit in misfits)
        return
    yield from _contradictions(result)


def _contradictions(result: dict[str, Any]) -> Iterator[str]:
    if not result["protocol"]["standard"]:
        yield "it was measured for less than the protocol asks for; leave out --runs and --seconds"
    if not _first_row(result):
        yield "it lacks one thread with XNNPACK on; leave out --threads and --xnnpack"
    timed = [(f"{row['threads']} threads", row["wall_us"]) for row in result["latency"]]
    timed += list(result["pipeline"]["stages_ms"].items()) if result["pipeline"] else []
    for what, wall in timed:
        if not wall["p50"] <= wall["p90"] <= wall["p99"] <= wall["max"]:
            yield f"{what}: its percentiles do not rise"
    for row in result["latency"]:
        if row["runs"] < result["protocol"]["min_runs"] or row["seconds"] < result["protocol"]["min_seconds"]:
            yield f"{row['threads']} threads: fewer runs or seconds than its protocol says"
        total = row["wall_us"]["mean"] * row["runs"] / 1e6
        if total > 1.001 * row["seconds"]:
            yield f"{row['threads']} threads: {row['runs']} runs of {row['wall_us']['mean']:.1f} us need {total:.1f} s"


def _first_row(result: dict[str, Any]) -> dict[str, Any] | None:
    rows = result["latency"]
    return next((row for row in rows if row["threads"] == 1 and row["xnnpack"]), None)


def page_tables(results: dict[str, dict[str, Any]]) -> str:
    """Return the tables, Raspberry Pis apart from everything else. `results`: file name -> document."""
    pis = {name: each for name, each in results.items() if each["machine"]["kind"] == RASPBERRY_PI}
    others = {name: each for name, each in results.items() if name not in pis}
    parts = []
    for title, group, none in (
        ("Raspberry Pi", pis, "None yet. The first one could be yours."),
        ("Not a Raspberry Pi", others, "None."),
    ):
        parts += [f"## {title}", "", _table(group) if group else none, ""]
    return "\n".join(parts)


def _table(results: dict[str, dict[str, Any]]) -> str:
    lines = [
        "| machine | system, runtime | model | one face, 1 thread: p50, p90, p99 | best p50 | XNNPACK off, 1 thread "
        "| device loop: total, mean | top-1 | heat | file |",
        "|---|---|---|---:|---:|---:|---:|---:|---|---|",
    ]
    for name, result in sorted(results.items(), key=lambda item: (_machine(item[1]), item[0])):
        cells = (
            _machine(result),
            _software(result),
            _model(result),
            *_latency(result),
            _loop(result),
            _accuracy(result),
            _heat(result),
            f"[{name}](../benchmarks/results/boards/{name})",
        )
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines)


def _machine(result: dict[str, Any]) -> str:
    machine = result["machine"]
    if machine["board"] and machine["kind"] != "workstation":
        return str(machine["board"])
    return f"{machine['cores']}-core {machine['architecture']} {machine['kind']} ({machine['processor']})"


def _software(result: dict[str, Any]) -> str:
    versions = result["machine"]["versions"]
    package = result["runtime"].partition(".")[0].replace("_", "-")
    return f"{result['machine']['system']}, {package} {versions.get(package, '')}".rstrip()


def _model(result: dict[str, Any]) -> str:
    model, digest = result["model"], result["model"]["sha256"]
    name = SHIPPED.get(digest, model["file"])
    if name not in SHIPPED.values():
        return f"`{model['name']}` ({digest[:12]})"
    former = "" if digest in SHIPPED else "former file, "
    return f"`{name.removesuffix('.tflite')}` ({former}{digest[:12]})"


def _latency(result: dict[str, Any]) -> tuple[str, str, str]:
    rows = [row for row in result["latency"] if not row["more_threads_than_cores"]]
    first = _first_row(result)
    assert first is not None  # `complaints` saw to it
    wall = first["wall_us"]
    best = min(rows, key=lambda row: float(row["wall_us"]["p50"]))
    plain = next((row for row in rows if row["threads"] == 1 and not row["xnnpack"]), None)
    return (
        f"{_us(wall['p50'])}, {_us(wall['p90'])}, {_us(wall['p99'])}",
        f"{_us(best['wall_us']['p50'])} (threads: {best['threads']})",
        _us(plain["wall_us"]["p50"]) if plain else "",
    )


def _us(value: float) -> str:
    return f"{value:,.0f} µs"


def _loop(result: dict[str, Any]) -> str:
    loop = result["pipeline"]
    if not loop:
        return ""
    return f"{loop['stages_ms']['total']['mean']:.1f} ms ({loop['source']}, {loop['width']}x{loop['height']})"


def _accuracy(result: dict[str, Any]) -> str:
    found = result["accuracy"]
    return f"{found['top1']:.1%} ± {found['top1_se']:.1%} ({found['split']})" if found else ""


def _heat(result: dict[str, Any]) -> str:
    parts = [f"**throttled: {result['throttling']}**"] if result["throttled"] else []
    before, after = result["before"]["temperature_c"], result["after"]["temperature_c"]
    if before is not None and after is not None:
        parts.append(f"{before:.0f} to {after:.0f} °C")
    busy = result["before"]["load_average"] > 0.5 * result["machine"]["cores"]
    return ", ".join([*parts, "**busy with other work**"] if busy else parts)


def checked(files: list[Path]) -> dict[str, dict[str, Any]]:
    """Read results; ends the program with one line for each complaint."""
    found = {path.name: path.read_text() for path in files}
    wrong = [f"{name}: {complaint}" for name, text in found.items() for complaint in complaints(name, text)]
    if wrong:
        raise SystemExit("\n".join(wrong))
    return {name: json.loads(text) for name, text in found.items()}


def main() -> None:
    """Check files, then check or write the page."""
    files = [Path(argument) for argument in sys.argv[1:] if argument != "--check"]
    if files:
        print(f"{len(checked(files))} fine")
        return
    tables = page_tables(checked(sorted(RESULTS.iterdir())))
    text = PAGE.read_text()
    new = MARK.sub(lambda found: f"{found[1]}{tables}\n{found[2]}", text)
    if "--check" not in sys.argv:
        PAGE.write_text(new)
    elif new != text:
        raise SystemExit(f"{PAGE.name}: does not show what {RESULTS} holds; run benchmarks/boards.py")


if __name__ == "__main__":
    main()
