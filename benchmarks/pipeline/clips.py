"""Measure the device loop on film clips, beside what it is compared with, in one run.

    python benchmarks/pipeline/clips.py [--videos FOLDER] [--frames N] [--out FILE.json] [--json]

Processor time is that of the whole process (`time.process_time`), with OpenCV on one thread everywhere. Decoding the
video is left out on all sides; converting its pictures to planes is part of the loop and counted. Without clips the
demo film is measured alone.

A clip ``NAME`` may have reference boxes beside it, ``NAME.yunet.json``: ``{"step": 2, "det": [[0, [[x, y, w, h],
score], ...], ...]}`` with every frame that was looked at. Recall is measured on the reference's faces that the
comparison script finds; a false face is one that meets no reference box.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from baselines import AncestorsLoop, CarefulScript
from films import LOOPED, Clip
from judging import judge
from shares import loop_overhead
from sides import run_baseline, run_loop

from fer_edge.device.opencv import cv2
from fer_edge.machine import describe_machine
from fer_edge.shipped import shipped_models

ANCESTORS_EVERY = 8
"""The slow loop gets every eighth picture."""


def measure(path: Path | None, frames: int) -> dict[str, Any]:
    """Measure one clip, or the demo film."""
    model = shipped_models()["compact"]
    careful = run_baseline(CarefulScript(model), Clip(path, frames))
    ours, figures = run_loop(Clip(path, frames), model)
    row: dict[str, Any] = {
        "clip": path.name if path else "demo",
        **figures,
        "cpu_ms": ours.cpu_ms,
        "careful_cpu_ms": careful.cpu_ms,
        "times_less_than_careful": careful.cpu_ms / ours.cpu_ms,
    }
    if path is None or path.name == LOOPED:
        row["shares"] = loop_overhead(Clip(path, frames), model)
        slow = run_baseline(AncestorsLoop(), Clip(path, frames), ANCESTORS_EVERY)
        row["ancestors_cpu_ms"] = slow.cpu_ms
        row["times_less_than_ancestors"] = slow.cpu_ms / ours.cpu_ms
    if path:
        row |= judge(path, careful, ours, Clip(path, frames).rate)
    return row


def to_markdown(report: dict[str, Any]) -> str:
    """Return the table for people."""
    lines = [
        "| clip | size | frames | CPU ms | careful script | times less | recall | false / min | careful's | "
        "flips / min | unsmoothed | full searches | area |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in report["clips"]:
        recall = "-" if row.get("recall") is None else f"{row['recall']:.1%}"
        false = [f"{row[key]:.0f}" if key in row else "-" for key in ("false_per_minute", "false_per_minute_careful")]
        cells = [
            row["clip"],
            "{}x{}".format(*row["size"]),
            str(row["frames"]),
            f"{row['cpu_ms']:.2f}",
            f"{row['careful_cpu_ms']:.1f}",
            f"{row['times_less_than_careful']:.1f}",
            recall,
            *false,
            f"{row['flips_per_minute']['shown']:.0f}",
            f"{row['flips_per_minute']['raw']:.0f}",
            str(row["full_searches"]),
            f"{row['area_searched']:.2f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    for row in report["clips"]:
        if "shares" in row:
            shares = ", ".join(f"{stage} {share:.0%}" for stage, share in row["shares"].items())
            lines.append("")
            lines.append(
                f"{row['clip']}: the ancestors' loop takes {row['ancestors_cpu_ms']:.0f} ms, "
                f"{row['times_less_than_ancestors']:.0f} times as much. Shares of the loop: {shares}."
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure all clips and write the report."""
    parser = argparse.ArgumentParser(description="Measure the device loop on film clips.")
    parser.add_argument("--videos", type=Path, default=Path("../shared/data/videos"), help="folder with clips")
    parser.add_argument("--only", nargs="+", default=[""], help="clips whose names hold one of these")
    parser.add_argument("--frames", type=int, default=300, help="pictures of each clip at most")
    parser.add_argument("--out", type=Path, help="write FILE.json and FILE.md")
    parser.add_argument("--json", action="store_true", help="print the report as JSON instead of the table")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    clips: list[Path | None] = [
        path
        for path in (sorted(arguments.videos.iterdir()) if arguments.videos.is_dir() else [])
        if path.suffix != ".json" and any(part in path.name for part in arguments.only)
    ]
    rows = []
    demo = [None] if any(part in "demo" for part in arguments.only) else []
    for path in [*clips, *demo]:
        print(path.name if path else "demo", file=sys.stderr)
        rows.append(measure(path, arguments.frames))
    report = {"command": " ".join(["python", *sys.argv]), "machine": describe_machine(), "clips": rows}
    if arguments.out:
        arguments.out.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n")
        arguments.out.with_suffix(".md").write_text(to_markdown(report))
    print(json.dumps(report, indent=1) if arguments.json else to_markdown(report))


if __name__ == "__main__":
    main()
