"""Measure the device loop on film clips, beside what it is compared with, in one run.

    python benchmarks/pipeline/clips.py [--videos FOLDER] [--frames N] [--out FILE.json] [--json]

Processor time is that of the whole process (`time.process_time`), with OpenCV on one thread everywhere. Decoding the
video is left out on all sides; converting its pictures to planes is part of the loop and counted. Without clips the
demo film is measured alone.

A clip ``NAME`` may have reference boxes beside it, ``NAME.yunet.json``: ``{"step": 2, "det": [[0, [[x, y, w, h],
score], ...], ...]}`` with every frame that was looked at. Recall is measured where the comparison script finds a face
that the reference confirms; a false face is one that meets no reference box.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from baselines import AncestorsLoop, Baseline, CarefulScript
from films import LOOPED, Clip
from numpy.typing import NDArray

from fer_edge.device.boxes import iou
from fer_edge.device.classify import open_models
from fer_edge.device.opencv import cv2
from fer_edge.device.pipeline import Pipeline
from fer_edge.machine import describe_machine
from fer_edge.preprocess import Box
from fer_edge.runtime import TFLiteModel
from fer_edge.shipped import shipped_models

MATCH = 0.4
"""Intersection over union from which two boxes are one face."""

MEETS = 0.2
"""Intersection over union below which a found face meets no reference box and is false."""

ANCESTORS_EVERY = 8
"""The slow loop gets every eighth picture."""

CALIBRATION = 5000
"""Calls from which the cost of a clock is learned."""


@dataclasses.dataclass(frozen=True)
class Run:
    """What one side did with a clip: boxes of each picture, and milliseconds of processor time per picture."""

    boxes: list[list[Box]]
    cpu_ms: float


def run_baseline(body: Baseline, clip: Clip, every: int = 1) -> Run:
    """Run a comparison loop over every n-th picture of a clip."""
    boxes, cpu = [], 0.0
    for index, (_, bgr) in enumerate(clip.pictures()):
        if index % every:
            continue
        start = time.process_time()
        boxes.append(body(bgr))
        cpu += time.process_time() - start
    return Run(boxes, 1e3 * cpu / len(boxes))


class Recorded(TFLiteModel):
    """The model, and which label it gave each time before any smoothing."""

    def __init__(self, path: Path) -> None:
        """Open the model."""
        super().__init__(path)
        self.raw: list[str] = []

    def scores(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Classify."""
        scores = super().scores(crop)
        self.raw.append(self.info.labels[int(scores.argmax())])
        return scores


class Flips:
    """Counts how often the label of a face changes."""

    def __init__(self) -> None:
        self.count = 0
        self._labels: dict[int, str] = {}

    def add(self, number: int, label: str) -> None:
        """Take the label of a face in the next picture."""
        self.count += self._labels.get(number, label) != label
        self._labels[number] = label


def run_loop(clip: Clip, model: Path) -> tuple[Run, dict[str, Any]]:
    """Run the device loop over a clip; its figures by stage come with it."""
    boxes: list[list[Box]] = []
    wall: Counter[str] = Counter()
    searched, first, numbers = 0.0, 0.0, set()
    shown, raw = Flips(), Flips()
    classifier = Recorded(model)
    with Pipeline(clip, [classifier]) as pipeline:
        start, cpu = time.perf_counter(), time.process_time()
        for result in pipeline:
            first = first or time.perf_counter() - start
            boxes.append([face.box for face in result.faces])
            wall.update(result.timings)
            searched += result.searched
            for face, label in zip(result.faces, classifier.raw, strict=True):
                numbers.add(face.id)
                shown.add(face.id, face.label)
                raw.add(face.id, label)
            classifier.raw.clear()
        cpu = time.process_time() - cpu - clip.decoding
    frames, minutes = len(boxes), max(result.time, 1e-9) / 60
    return Run(boxes, 1e3 * cpu / frames), {
        "frames": frames,
        "size": [result.frame.width, result.frame.height],
        "first_result_ms": 1e3 * first,
        "convert_cpu_ms": 1e3 * clip.converting / frames,
        "wall_ms": {stage: 1e3 * spent / frames for stage, spent in wall.items()},
        "full_searches": pipeline.counters.full_searches,
        "area_searched": searched / frames,
        "ids": len(numbers),
        "flips_per_minute": {"raw": raw.count / minutes, "shown": shown.count / minutes},
    }


def loop_overhead(clip: Clip, model: Path) -> dict[str, float]:
    """Run the loop once more and take the time of its parts apart.

    Returns:
        Shares of the loop's processor time: ``cascade``, ``resize`` and ``inference``; ``convert``, the colours of
        the source's pictures; ``follow``, template matching; ``overhead``, which is all
        else. What the clocks cost is taken out.
    """
    seconds: Counter[str] = Counter()
    calls: Counter[str] = Counter()

    def timed(stage: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        def outer(*args: Any, **kwargs: Any) -> Any:
            start = time.process_time()
            try:
                return inner(*args, **kwargs)
            finally:
                seconds[stage] += time.process_time() - start
                calls[stage] += 1

        return outer

    class Timed:
        def __init__(self, inner: Any, stage: str, *names: str) -> None:
            self._inner = inner
            self.__dict__.update({name: timed(stage, getattr(inner, name)) for name in names})

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    (classifier,) = open_models([model])
    classifier.interpreter = Timed(classifier.interpreter, "inference", "invoke")
    functions = {"resize": "resize", "cvtColor": "convert", "extractChannel": "convert", "matchTemplate": "follow"}
    before = {name: getattr(cv2, name) for name in ("CascadeClassifier", *functions)}
    try:
        cascade = before["CascadeClassifier"]
        cv2.CascadeClassifier = lambda: Timed(cascade(), "cascade", "detectMultiScale", "detectMultiScale2")
        for name, stage in functions.items():
            setattr(cv2, name, timed(stage, before[name]))
        with Pipeline(clip, [classifier]) as pipeline:
            cpu = time.process_time()
            for _ in pipeline:
                pass
            cpu = time.process_time() - cpu - clip.decoding
    finally:
        for name, original in before.items():
            setattr(cv2, name, original)
    # The clock is a system call, and dozens of them in a picture would be taken for the loop's own work.
    idle, start = timed("clock", lambda: None), time.process_time()
    for _ in range(CALIBRATION):
        idle()
    outside = (time.process_time() - start) / CALIBRATION
    inside = seconds.pop("clock") / calls.pop("clock")
    cpu -= outside * sum(calls.values())
    shares = {stage: (spent - inside * calls[stage]) / cpu for stage, spent in seconds.items()}
    return {**shares, "overhead": 1 - sum(shares.values())}


def judge(path: Path, careful: Run, ours: Run, fps: float) -> dict[str, Any]:
    """Compare both with the reference boxes of a clip."""
    text = path.with_name(path.name + ".yunet.json")
    if not text.exists():
        return {}
    reference = {f: [Box(*map(round, box)) for box, _ in faces] for f, *faces in json.loads(text.read_text())["det"]}
    figures: Counter[str] = Counter()
    for index, real in reference.items():
        if index >= len(ours.boxes):
            continue
        mine, theirs = ours.boxes[index], careful.boxes[index]
        confirmed = [box for box in theirs if _meets(box, real, MATCH)]
        figures["reference_frames"] += 1
        figures["confirmed"] += len(confirmed)
        figures["found"] += sum(_meets(box, mine, MATCH) for box in confirmed)
        figures["reference"] += len(real)
        figures["reference_found"] += sum(_meets(box, mine, MATCH) for box in real)
        figures["reference_found_careful"] += sum(_meets(box, theirs, MATCH) for box in real)
        figures["false"] += sum(not _meets(box, real, MEETS) for box in mine)
        figures["false_careful"] += sum(not _meets(box, real, MEETS) for box in theirs)
    minutes = figures["reference_frames"] / fps / 60
    return {
        **figures,
        "recall": figures["found"] / figures["confirmed"] if figures["confirmed"] else None,
        "false_per_minute": figures["false"] / minutes,
        "false_per_minute_careful": figures["false_careful"] / minutes,
    }


def _meets(box: Box, others: list[Box], least: float) -> bool:
    return any(iou(box, other) >= least for other in others)


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
