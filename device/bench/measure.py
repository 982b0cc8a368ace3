"""One measurement from end to end: its configuration, and the parts in the order in which they disturb least."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from fer_edge.config import MAX_THREADS, check_choice, check_count
from fer_edge.device.bench.accuracy import Accuracy, MeasureAccuracy
from fer_edge.device.bench.conditions import Conditions, Moment
from fer_edge.device.bench.model import MIN_RUNS, MIN_SECONDS, ModelLatency, measure_model
from fer_edge.device.bench.pipeline import PipelineLatency, measure_pipeline
from fer_edge.device.bench.report import Measurement
from fer_edge.device.detection.choice import HAAR, DetectorChoice
from fer_edge.device.doctor.system import System
from fer_edge.device.outputs.overwriting import refuse_overwriting
from fer_edge.device.sources import open_source
from fer_edge.errors import ConfigError
from fer_edge.runtime import TFLiteModel
from fer_edge.shipped import DEFAULT, find_model
from fer_edge.text.address import without_secrets

XNNPACK = {"on": (True,), "off": (False,), "both": (True, False)}

Name = str | os.PathLike[str]


@dataclasses.dataclass(frozen=True)
class BenchConfig:
    """What to measure: the options of ``fer-edge bench``, checked when the configuration is made.

    Attributes:
        model: name of a shipped model, or path of a ``.tflite`` file; a float file is accepted for comparison.
        source: frames for the loop, as `fer_edge.RunConfig.source`.
        frames: timed frames of the loop; 0 measures the model only.
        detector: as `fer_edge.RunConfig.detector`.
        detector_model: the ONNX file of ``yunet``.
        runs: timed runs of the model, at least.
        seconds: time for them, at least.
        threads: thread counts of the model, each 1 to 64.
        xnnpack: with TFLite's fast kernels ``on``, ``off`` or ``both``.
        data: measure accuracy as well, on what ``--data`` of ``fer-edge evaluate`` takes.
        split: of the data.
        out: file of the JSON document that the caller will write; it must be none of those that are read.

    Raises:
        ConfigError: a value out of its range, or an output that is an input; its ``option`` names the field.
    """

    model: Name = DEFAULT
    source: Name | int = "demo"
    frames: int = 300
    detector: str = HAAR.detector
    detector_model: Name | None = None
    runs: int = MIN_RUNS
    seconds: int = MIN_SECONDS
    threads: tuple[int, ...] = (1, 2, 4)
    xnnpack: str = "both"
    data: str | None = None
    split: str = "PublicTest"
    out: Name | None = None
    chosen_detector: DetectorChoice = dataclasses.field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_count("frames", self.frames, 0)
        check_count("runs", self.runs, 1)
        path = None if self.detector_model is None else Path(self.detector_model)
        object.__setattr__(self, "chosen_detector", DetectorChoice(self.detector, path))
        check_count("seconds", self.seconds, 0)
        if not self.threads:
            raise ConfigError("threads", "`threads`: expected at least one thread count, found none")
        for count in self.threads:
            check_count("threads", count, 1, MAX_THREADS)
        check_choice("xnnpack", self.xnnpack, tuple(XNNPACK))
        source = self.source if self.frames else None
        refuse_overwriting(
            {"out": self.out},
            {"model": [self.model], "source": [source], "data": [self.data], "detector_model": [self.detector_model]},
        )


def measure(
    config: BenchConfig,
    *,
    measure_accuracy: MeasureAccuracy | None = None,
    report: Callable[[str], None] = lambda doing: None,
) -> Measurement:
    """Measure a model and the device loop with it on this machine.

    Args:
        config: what to measure.
        measure_accuracy: how, if data are given.
        report: told what is done before each part, which may take minutes.

    Raises:
        ModelFileError: the file is no TFLite model, or does not say what it is.
        SourceError: from the source.
        MissingExtraError: OpenCV or a TFLite runtime is not installed.
        FerEdgeError: the accuracy cannot be measured.
    """
    system, model = System.here(), find_model(config.model)
    conditions = Conditions.now(model)
    # First, so that data or a source that does not work costs no time, and a camera is off while the model is timed.
    accuracy: Accuracy | None = None
    if config.data and measure_accuracy:
        report(f"measuring accuracy on {config.data} ...")
        accuracy = measure_accuracy(model, conditions.model["sha256"], config.data, config.split)
    moments = [Moment.now(system)]
    pipeline: PipelineLatency | None = None
    if config.frames:
        report(f"timing the device loop on {without_secrets(str(config.source))} ...")
        with open_source(str(config.source)) as source:
            pipeline = measure_pipeline(
                source, TFLiteModel(model, allow_float=True), config.frames, config.chosen_detector
            )
    latency: list[ModelLatency] = []
    for threads, xnnpack in _variants(config):
        moments.append(Moment.now(system))
        report(f"timing the model on {threads} threads, XNNPACK {'on' if xnnpack else 'off'} ...")
        latency.append(measure_model(model, threads, xnnpack=xnnpack, runs=config.runs, seconds=config.seconds))
    moments.append(Moment.now(system))
    return Measurement(conditions, config.runs, config.seconds, tuple(moments), tuple(latency), pipeline, accuracy)


def _variants(config: BenchConfig) -> Iterator[tuple[int, bool]]:
    for threads in config.threads:
        for xnnpack in XNNPACK[config.xnnpack]:
            yield threads, xnnpack
