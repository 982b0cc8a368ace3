"""Latency of a model on this machine: what is timed, and how often.

One run is one face through `TFLiteModel.scores`: copying the crop into the interpreter, inference, and
reading the scores. The clock is `time.perf_counter_ns`, read before and after each run.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.runtime import TFLiteModel, load_runtime

WARM_UP = 50
"""Runs before the timed ones, which bring caches and clock frequency to where they stay."""

CROPS = 64
"""Different inputs, used in turn."""


@dataclasses.dataclass(frozen=True)
class Durations:
    """The distribution of a measured time, in the unit of its samples. Percentiles interpolate linearly."""

    mean: float
    p50: float
    p90: float
    p99: float
    max: float

    @classmethod
    def of(cls, samples: NDArray[np.floating]) -> Durations:
        """Summarize samples, (N,), at least one."""
        p50, p90, p99 = np.percentile(samples, (50, 90, 99))
        return cls(float(samples.mean()), float(p50), float(p90), float(p99), float(samples.max()))


@dataclasses.dataclass(frozen=True)
class ModelLatency:
    """The cost of one face on a number of threads, in microseconds.

    Attributes:
        threads: threads of the interpreter.
        runs: timed runs.
        init_us: opening and checking the file and building the interpreter, once.
        first_us: the first run after that.
        wall_us: one run, warmed up.
        cpu_us: mean processor time of one run, all threads together; more than the wall time where threads wait busily.
    """

    threads: int
    runs: int
    init_us: float
    first_us: float
    wall_us: Durations
    cpu_us: float


def measure_model(path: Path, threads: int, runs: int) -> ModelLatency:
    """Time a model file; a float file is accepted for comparison.

    Args:
        path: a ``.tflite`` file with fer-edge's metadata.
        threads: threads of the interpreter, at least 1.
        runs: timed runs, at least 1.

    Raises:
        ModelFileError: the file is not such a model.
        MissingExtraError: no TFLite runtime is installed.
    """
    load_runtime()  # its import is not the model's cost
    start = time.perf_counter_ns()
    model = TFLiteModel(path, threads=threads, allow_float=True)
    init = time.perf_counter_ns() - start
    size = model.info.input_size
    crops = list(np.random.default_rng(0).integers(0, 256, (CROPS, size, size), dtype=np.uint8))
    start = time.perf_counter_ns()
    model.scores(crops[0])
    first = time.perf_counter_ns() - start
    for run in range(WARM_UP):
        model.scores(crops[run % CROPS])
    samples = np.empty(runs)
    cpu = time.process_time_ns()
    for run in range(runs):
        crop = crops[run % CROPS]
        start = time.perf_counter_ns()
        model.scores(crop)
        samples[run] = time.perf_counter_ns() - start
    cpu = time.process_time_ns() - cpu
    return ModelLatency(threads, runs, init / 1e3, first / 1e3, Durations.of(samples / 1e3), cpu / runs / 1e3)
