"""Latency of the device loop on this machine, stage by stage."""

from __future__ import annotations

import dataclasses
import time

import numpy as np

from fer_edge.device.bench.model import Durations
from fer_edge.device.detection.choice import HAAR, DetectorChoice
from fer_edge.device.opencv import cv2
from fer_edge.device.pipeline import Pipeline
from fer_edge.device.results import STAGES
from fer_edge.device.sources.base import Source
from fer_edge.device.sources.wrappers import Repeated
from fer_edge.runtime import TFLiteModel

WARM_UP_FRAMES = 10
"""Pictures worked on before the timed ones."""


@dataclasses.dataclass(frozen=True)
class PipelineLatency:
    """The cost of one picture, in milliseconds.

    Attributes:
        source: its name.
        live: whether it is a camera, for which the stage ``capture`` is mostly waiting.
        width: of the pictures, in pixels; the last one's where they differ.
        height: likewise.
        frames: timed pictures.
        warm_up_frames: pictures before those.
        faces: faces reported per picture, on average.
        dropped: pictures of a live source that came while the worker was busy.
        opencv_threads: threads that the detector may use; the model uses one.
        stages_ms: stage of `STAGES` -> its wall time; ``total`` is everything but ``capture``.
        cpu_ms: mean processor time of one picture, all threads and ``capture`` included.
        detector: what found the faces.
    """

    source: str
    live: bool
    width: int
    height: int
    frames: int
    warm_up_frames: int
    faces: float
    dropped: int
    opencv_threads: int
    stages_ms: dict[str, Durations]
    cpu_ms: float
    detector: str = HAAR.detector


def measure_pipeline(
    source: Source, model: TFLiteModel, frames: int, detector: DetectorChoice = HAAR
) -> PipelineLatency:
    """Time the loop with its default settings; a finite source is repeated until there are enough pictures.

    Args:
        source: where pictures come from; the caller closes it.
        model: classifies the faces.
        frames: pictures to time, at least 1.
        detector: what finds faces.

    Raises:
        SourceError: from the source.
        MissingExtraError: the face detector's data are not installed.
    """
    timings = np.empty((frames, len(STAGES)))
    faces, cpu = 0, 0
    played = source if source.live else Repeated(source)
    with Pipeline(played, [model], skin="off" if detector != HAAR else "static", detector=detector.open()) as pipeline:
        results = iter(pipeline)
        for _ in range(WARM_UP_FRAMES):
            next(results)
        for row in timings:
            start = time.process_time_ns()
            result = next(results)
            cpu += time.process_time_ns() - start
            row[:] = [result.timings[stage] * 1e3 for stage in STAGES]
            faces += len(result.faces)
    return PipelineLatency(
        source=source.name,
        live=source.live,
        width=result.frame.width,
        height=result.frame.height,
        frames=frames,
        warm_up_frames=WARM_UP_FRAMES,
        faces=faces / frames,
        dropped=pipeline.dropped,
        opencv_threads=cv2.getNumThreads(),
        stages_ms={stage: Durations.of(column) for stage, column in zip(STAGES, timings.T, strict=True)},
        cpu_ms=cpu / frames / 1e6,
        detector=detector.detector,
    )
