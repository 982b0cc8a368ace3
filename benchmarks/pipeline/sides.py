"""The sides that are compared, each run over a clip and timed: the device loop, and the loops that others write."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from baselines import Baseline
from films import Clip
from numpy.typing import NDArray

from fer_edge.device.pipeline import Pipeline
from fer_edge.preprocess import Box
from fer_edge.runtime import TFLiteModel


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
