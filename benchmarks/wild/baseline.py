#!/usr/bin/env python3
"""Measure what ``run --baseline`` changes on clips of which a viewer said which labels would do.

    benchmarks/wild/baseline.py --clips FOLDER [--model NAME]... [--out RESULT.json]
    benchmarks/wild/baseline.py --table       write the table of docs/wild.md from the kept result

Each clip runs once a model; its scores are then replayed with other lengths of rest.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from clips import judge, rates, read_plausible
from page import keep, origin, write_table
from smoothing import Recorder, Scores, record

from fer_edge.device.opencv import cv2
from fer_edge.device.tracking.baseline import Baseline, Rest, deviation
from fer_edge.device.tracking.smoothing import Expression, express
from fer_edge.errors import FerEdgeError
from fer_edge.model_file import file_hash
from fer_edge.shipped import shipped_models

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "benchmarks" / "results" / "wild" / "baseline.json"
SECONDS = (None, 1.0, 2.0, 4.0)
MODELS = ("compact", "large")
"""The default, and one that takes many calm faces for angry or sad."""


def replay(
    frames: Sequence[tuple[int, float, Scores]], labels: Sequence[str], seconds: float | None
) -> Iterator[tuple[int, float, dict[int, str]]]:
    """Yield of each frame its number, its time and track -> label, with so many seconds of rest, None without."""
    baseline = None if seconds is None else Baseline(seconds, labels)
    shown: dict[int, Expression] = {}
    rests: dict[int, Rest] = {}
    for number, time, faces in frames:
        for track, raw in faces.items():
            scores = raw
            if baseline is not None:
                rests[track] = baseline.observe(rests.get(track), raw, time)
                scores = deviation(raw, rests[track])
            shown[track] = express(shown.get(track), scores, time)
        yield number, time, {track: labels[shown[track].label] for track in faces}


def measure(clips: Path, path: Path) -> list[dict[str, Any]]:
    """Return the figures of a model for each of `SECONDS`."""
    model, plausible = Recorder(path), read_plausible(clips)
    recorded = {name: record(clips / name, model) for name in plausible}
    rows = []
    for seconds in SECONDS:
        total: Counter[str] = Counter()
        for name, frames in recorded.items():
            total.update(judge(replay(frames, model.info.labels, seconds), plausible[name]))
        rows.append({"seconds": seconds, **rates(dict(total))})
    return rows


def table(result: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    lines = ["| model | rest | plausible | changes a minute | false changes a minute |", "|---|---|---:|---:|---:|"]
    for name, found in result["models"].items():
        for row in found["rows"]:
            rest = "off" if row["seconds"] is None else f"{row['seconds']:g} s"
            changes = f"{row['changes_per_minute']:.1f} | {row['false_changes_per_minute']:.1f}"
            lines.append(f"| `{name}` | {rest} | {100 * row['plausible']:.1f} % | {changes} |")
    return "\n".join([*lines, "", origin(result)])


def main() -> None:
    """Measure, or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, help="folder with plausible.json")
    parser.add_argument("--model", action="append", help="shipped model or file")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--table", action="store_true")
    wanted = parser.parse_args()
    if wanted.table:
        write_table("baseline", table(json.loads(RESULT.read_text())))
        return
    if not wanted.clips:
        parser.error("give --clips, or --table")
    cv2.setNumThreads(1)
    models = {}
    for name in wanted.model or MODELS:
        path = shipped_models().get(name, Path(name))
        models[path.stem] = {"sha256": file_hash(path), "rows": measure(wanted.clips, path)}
    document = keep(wanted.out, "benchmarks/wild/baseline.py --clips DIR", {"models": models})
    print(table(document))


if __name__ == "__main__":
    try:
        main()
    except FerEdgeError as error:
        raise SystemExit(f"Error: {error}") from error
