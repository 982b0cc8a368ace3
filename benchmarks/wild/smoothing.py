#!/usr/bin/env python3
"""Choose how long labels are smoothed: false changes against delay, on clips.

    benchmarks/wild/smoothing.py --clips FOLDER [--model NAME] [--out RESULT.json] [--plot FILE.png]

The device loop runs once on every clip, and the scores of each face are kept as the model gave them. They are then
smoothed again with each setting. A true change is one of the label that leads in the mean of a whole second around each
frame, which no device can know yet, and that lasts; its delay is the time until that label shows.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from clips import Ranges, judge, rates, read_plausible
from numpy.typing import NDArray

from fer_edge.device.pipeline import Pipeline
from fer_edge.device.sources import open_source
from fer_edge.device.tracking import smoothing
from fer_edge.errors import FerEdgeError
from fer_edge.machine import describe_machine
from fer_edge.model_file import file_hash, write_atomically
from fer_edge.runtime import TFLiteModel
from fer_edge.shipped import DEFAULT, shipped_models

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "benchmarks" / "results" / "wild" / "smoothing.json"
PLOT = ROOT / "docs" / "images" / "smoothing.png"
TIMES_S, LEADS, LEAD_TIMES_S = (0.12, 0.25, 0.5, 0.8, 1.2), (0.1, 0.15, 0.25, 0.35), (0.5, 1.0)
WINDOW_S = 1.0
"""Of the mean that says what a face truly shows, and the least time that it must show it."""

Scores = dict[int, NDArray[np.float32]]
Setting = tuple[float, float, float]


class Recorder(TFLiteModel):
    """A model that keeps the scores it gives."""

    def __init__(self, path: Path) -> None:
        """Open the file."""
        super().__init__(path)
        self.given: list[NDArray[np.float32]] = []

    def scores(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the scores of a crop, and keep them."""
        self.given.append(super().scores(crop))
        return self.given[-1]


def record(path: Path, model: Recorder) -> list[tuple[int, float, Scores]]:
    """Return of each frame of a clip its number, its time, and track -> scores as the model gave them."""
    source, frames = open_source(str(path)), []
    try:
        with Pipeline(source, [model]) as pipeline:
            for result in pipeline:
                scores = {face.id: scores for face, scores in zip(result.faces, model.given, strict=True)}
                frames.append((result.index, result.time, scores))
                model.given = []
    finally:
        source.close()
    return frames


def replay(
    frames: Sequence[tuple[int, float, Scores]], labels: Sequence[str], setting: Setting
) -> Iterator[tuple[int, float, dict[int, str]]]:
    """Yield what the device would show with a setting: its times of smoothing and leading, and its lead."""
    shown: dict[int, smoothing.Expression] = {}
    before = smoothing.SMOOTHING_S, smoothing.LEAD_AT_ONCE, smoothing.LEAD_S
    smoothing.SMOOTHING_S, smoothing.LEAD_AT_ONCE, smoothing.LEAD_S = setting
    try:
        for number, time, faces in frames:
            for track, scores in faces.items():
                shown[track] = smoothing.express(shown.get(track), scores, time)
            yield number, time, {track: labels[shown[track].label] for track in faces}
    finally:
        smoothing.SMOOTHING_S, smoothing.LEAD_AT_ONCE, smoothing.LEAD_S = before


def true_changes(times: NDArray[np.float64], scores: NDArray[np.float32]) -> list[tuple[float, float, int]]:
    """Return from when until when a face truly shows another label than before, and which.

    Args:
        times: (N,) of the frames with the face, rising.
        scores: N x classes, as the model gave them.
    """
    near = np.abs(times[:, None] - times) <= WINDOW_S / 2
    leaders = (near @ scores / near.sum(axis=1, keepdims=True)).argmax(axis=1)
    starts = np.flatnonzero(np.diff(leaders, prepend=leaders[0] + 1))
    ends = [*times[starts[1:]], times[-1]]
    spans = [(times[i], end, int(leaders[i])) for i, end in zip(starts, ends, strict=True)]
    lasting = [span for span in spans if span[1] - span[0] >= WINDOW_S]
    return [span for before, span in itertools.pairwise(lasting) if span[2] != before[2]]


def delays(
    frames: Sequence[tuple[int, float, Scores]],
    shown: Sequence[tuple[int, float, dict[int, str]]],
    labels: Sequence[str],
) -> list[float]:
    """Return for each true change the seconds until its label shows; those until its end where it never does."""
    found = []
    for track in sorted({track for _, _, faces in frames for track in faces}):
        own = [i for i, (_, _, faces) in enumerate(frames) if track in faces]
        times = np.array([frames[i][1] for i in own])
        said = [shown[i][2][track] for i in own]
        for start, end, label in true_changes(times, np.stack([frames[i][2][track] for i in own])):
            during = [
                time for time, name in zip(times, said, strict=True) if start <= time <= end and name == labels[label]
            ]
            found.append(float((during[0] if during else end) - start))
    return found


def figures(
    recorded: dict[str, list[tuple[int, float, Scores]]],
    plausible: dict[str, Ranges],
    labels: Sequence[str],
    setting: Setting,
) -> dict[str, Any]:
    """Return the figures of one setting on all clips."""
    total: dict[str, Any] = {}
    late: list[float] = []
    for name, frames in recorded.items():
        shown = list(replay(frames, labels, setting))
        counts = judge(shown, plausible[name])
        total = {key: total.get(key, 0) + value for key, value in counts.items()}
        late += delays(frames, shown, labels)
    smoothing_s, lead, lead_s = setting
    mean = round(float(np.mean(late)), 3) if late else None
    return {
        "smoothing_s": smoothing_s,
        "lead_at_once": lead,
        "lead_s": lead_s,
        **rates(total),
        "delay_s": mean,
        "true_changes": len(late),
    }


def plot(rows: Sequence[dict[str, Any]], chosen: Setting, path: Path) -> None:
    """Draw false changes against delay, one point a setting, the device's own marked."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for number, seconds in enumerate(TIMES_S):
        own = [row for row in rows if row["smoothing_s"] == seconds]
        place = [row["delay_s"] for row in own], [row["false_changes_per_minute"] for row in own]
        axes.scatter(*place, color=f"C{number}", label=f"{seconds} s")
    mine = [row for row in rows if (row["smoothing_s"], row["lead_at_once"], row["lead_s"]) == chosen]
    for row in mine:
        place = row["delay_s"], row["false_changes_per_minute"]
        axes.scatter(*place, s=160, facecolors="none", edgecolors="black", label="in use")
    axes.set_xlabel("mean delay of true changes (s)")
    axes.set_ylabel("false changes a minute and face")
    axes.grid(alpha=0.3)
    axes.legend(title="smoothing")
    figure.savefig(path, dpi=110, metadata={"Software": None})


def main() -> None:
    """Measure, write the result and draw it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clips", type=Path, required=True, metavar="DIR", help="folder with plausible.json")
    parser.add_argument("--model", default=DEFAULT, metavar="NAME", help="shipped model or file")
    parser.add_argument("--out", type=Path, default=RESULT, metavar="FILE", help="result; default: the kept one")
    parser.add_argument(
        "--plot", type=Path, default=PLOT, metavar="FILE", help="picture; default: that of docs/wild.md"
    )
    wanted = parser.parse_args()
    path = shipped_models().get(wanted.model, Path(wanted.model))
    model, plausible = Recorder(path), read_plausible(wanted.clips)
    recorded = {name: record(wanted.clips / name, model) for name in plausible}
    chosen = smoothing.SMOOTHING_S, smoothing.LEAD_AT_ONCE, smoothing.LEAD_S
    settings = sorted({*itertools.product(TIMES_S, LEADS, LEAD_TIMES_S), chosen})
    rows = [figures(recorded, plausible, model.info.labels, setting) for setting in settings]
    document = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": "benchmarks/wild/smoothing.py --clips DIR",
        "machine": describe_machine(),
        "model": {"name": path.stem, "sha256": file_hash(path)},
        "in_use": chosen,
        "settings": rows,
    }
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(wanted.out, json.dumps(document, indent=1).encode() + b"\n")
    plot(rows, chosen, wanted.plot)
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    try:
        main()
    except FerEdgeError as error:
        raise SystemExit(f"Error: {error}") from error
