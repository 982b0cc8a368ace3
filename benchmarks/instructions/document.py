#!/usr/bin/env python3
"""Write the tables of docs/virtual-pi.md from the counts in benchmarks/results/instructions.

    benchmarks/instructions/document.py            rewrite them
    benchmarks/instructions/document.py --check    exit with 1 if the document does not show what the results say

The estimate's figures and their sources stand in the document itself.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "instructions"
DOCUMENT = ROOT / "docs" / "virtual-pi.md"
MARK = re.compile(r"(<!-- (?P<name>counts|estimate) -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Speed:
    """What turns a processor's instructions into time.

    Attributes:
        board: whose clock it is.
        gigahertz: clock.
        per_cycle: instructions a cycle; docs/virtual-pi.md says where each comes from.
    """

    board: str
    gigahertz: float
    per_cycle: float

    def milliseconds(self, instructions: float) -> float:
        """Return the estimated time of one thread."""
        return instructions / (self.gigahertz * self.per_cycle * 1e6)


SPEEDS = {
    "cortex-a53": Speed("Raspberry Pi 3 B+", 1.4, 0.8),
    "cortex-a72": Speed("Raspberry Pi 4", 1.5, 1.15),
    "cortex-a76": Speed("Raspberry Pi 5", 2.4, 1.9),
}

ERROR = 2
"""The estimate may be off by this factor, either way."""


def results() -> list[dict[str, Any]]:
    """Return the kept counts, slowest board first."""
    return [json.loads((RESULTS / f"{processor}.json").read_text()) for processor in SPEEDS]


def millions(count: float) -> str:
    """Write a count of instructions."""
    return f"{count / 1e6:.2f} M"


def counts() -> str:
    """Return the table of what was counted."""
    models = list(results()[0]["faces"])
    faces = [f"one face, `{model}`: runtime{part}" for model in models for part in ("", " and Python")]
    head = ["processor", "board", *faces, "one picture: mean", "of that OpenCV", "dearest"]
    head += ["one picture, `--detector face`: mean", "dearest"]
    lines = [f"| {' | '.join(head)} |", f"|---|---|{'---:|' * (len(head) - 2)}"]
    for result in results():
        picture = result["picture"]
        cells = [f"Cortex-{result['processor'][7:].upper()}", result["board"]]
        for model in models:
            cells += [millions(result["faces"][model]["runtime"]), millions(result["faces"][model]["call"])]
        cascade = picture["by"]["opencv"] / picture["mean"]
        cells += [millions(picture["mean"]), f"{cascade:.0%}", millions(picture["max"])]
        cells += [millions(result["picture_by_networks"][key]) for key in ("mean", "max")]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", *others()]
    versions = results()[0]["versions"]
    named = ", ".join(f"{name} {versions[name]}" for name in ("ai-edge-litert", "opencv-python-headless", "numpy"))
    return "\n".join([*lines, "", f"With Python {versions['python']}, {named}."])


def others() -> list[str]:
    """Return the table of how many times the runtime's instructions a mini-Xception takes, by its form."""
    models, forms = list(results()[0]["faces"]), list(results()[0]["others"])
    lines = [f"| the runtime's instructions of a face | {' | '.join(r['board'] for r in results())} |"]
    lines.append(f"|---|{'---:|' * len(results())}")
    for form in forms:
        lines.append(f"| {form} | {' | '.join(millions(r['others'][form]) for r in results())} |")
        for model in models:
            times = [f"{r['others'][form] / r['faces'][model]['runtime']:.1f}" for r in results()]
            lines.append(f"| times those of `{model}` | {' | '.join(times)} |")
    return lines


def estimate() -> str:
    """Return the table of estimated times."""
    models = list(results()[0]["faces"])
    head = ["ESTIMATE", "clock", "instructions a cycle", *(f"one face, `{m}`" for m in models), "one picture, mean"]
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    for result in results():
        speed = SPEEDS[result["processor"]]
        work = [*(result["faces"][model]["call"] for model in models), result["picture"]["mean"]]
        times = [f"{t / ERROR:.1f} to {t * ERROR:.1f} ms" for t in map(speed.milliseconds, work)]
        cells = [speed.board, f"{speed.gigahertz} GHz", str(speed.per_cycle), *times]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Rewrite or check the document."""
    tables = {"counts": counts(), "estimate": estimate()}
    text = DOCUMENT.read_text()
    new = MARK.sub(lambda found: f"{found[1]}{tables[found['name']]}\n{found[3]}", text)
    if new == text:
        return
    if "--check" in sys.argv:
        raise SystemExit(f"{DOCUMENT.name}: not what the counts say; run benchmarks/instructions/document.py")
    DOCUMENT.write_text(new)


if __name__ == "__main__":
    main()
