"""Latency of a model on this machine: what is timed, and how often.

The protocol is MLPerf Inference's single stream (Reddi et al. 2020, arXiv:1911.02549, section IV): one query after
the other, at least 1,024 of them and for a least time, told as percentiles. The paper asks for 60 s; the default
here is 10 s, the least time of MLPerf Tiny, because every thread count is measured with and without XNNPACK.

One run is one face through `TFLiteModel.scores`: copying the crop into the interpreter, inference, and
reading the scores. The clock is `time.perf_counter_ns`, read before and after each run.
"""

from __future__ import annotations

import dataclasses
import time
from array import array
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.runtime import TFLiteModel, crop_shape, load_runtime

MIN_RUNS = 1024
"""Timed runs, at least."""

MIN_SECONDS = 10
"""Time that the timed runs take together, at least."""

WARM_UP = 50
"""Runs before the timed ones, which bring caches and clock frequency to where they stay."""

CROPS = 64
"""Different inputs, used in turn."""

BATCHES = 20
"""Stretches of successive samples that are summarized apart. 10 to 30 are enough for an interval, and more make them
too short to be independent (Schmeiser 1982, "Batch Size Effects in the Analysis of Simulation Output")."""


@dataclasses.dataclass(frozen=True)
class Batches:
    """What each of at most `BATCHES` stretches of successive samples says, in the order of time."""

    mean: tuple[float, ...]
    p50: tuple[float, ...]
    p90: tuple[float, ...]
    p99: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class Durations:
    """The distribution of a measured time, in the unit of its samples. Percentiles interpolate linearly.

    Successive samples are alike (clock frequency, other programs), so that the spread of all of them says little about
    how sure a percentile is; the spread of its value from batch to batch does.
    """

    mean: float
    p50: float
    p90: float
    p99: float
    max: float
    batches: Batches

    @classmethod
    def of(cls, samples: NDArray[np.floating[Any]]) -> Durations:
        """Summarize samples, (N,), at least one, in the order of time."""
        mean, p50, p90, p99 = _summarize(samples)
        parts = np.array_split(samples, min(BATCHES, len(samples)))
        columns = zip(*(_summarize(part) for part in parts), strict=True)
        batches = Batches(*(tuple(map(_rounded, column)) for column in columns))
        return cls(mean, p50, p90, p99, float(samples.max()), batches)


def _summarize(samples: NDArray[np.floating[Any]]) -> tuple[float, float, float, float]:
    p50, p90, p99 = np.percentile(samples, (50, 90, 99))
    return float(samples.mean()), float(p50), float(p90), float(p99)


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")


@dataclasses.dataclass(frozen=True)
class ModelLatency:
    """The cost of one face on a number of threads, in microseconds.

    Attributes:
        threads: threads of the interpreter.
        xnnpack: whether the runtime might hand over to XNNPACK; without it, its own kernels do the work.
        runs: timed runs.
        seconds: what they took together.
        init_us: opening and checking the file, building the interpreter and one run that tries it, once.
        first_us: the first run after that.
        wall_us: one run, warmed up.
        cpu_us: mean processor time of one run, all threads together; more than the wall time where threads wait busily.
    """

    threads: int
    xnnpack: bool
    runs: int
    seconds: float
    init_us: float
    first_us: float
    wall_us: Durations
    cpu_us: float


def measure_model(
    path: Path, threads: int, *, xnnpack: bool = True, runs: int = MIN_RUNS, seconds: float = MIN_SECONDS
) -> ModelLatency:
    """Time a model file; a float file is accepted for comparison.

    Args:
        path: a ``.tflite`` file with fer-edge's metadata.
        threads: threads of the interpreter, at least 1.
        xnnpack: as in `TFLiteModel`.
        runs: timed runs, at least this many and at least 1.
        seconds: for at least this long.

    Raises:
        ModelFileError: the file is not such a model.
        MissingExtraError: no TFLite runtime is installed.
    """
    load_runtime()  # its import is not the model's cost
    start = time.perf_counter_ns()
    model = TFLiteModel(path, threads=threads, allow_float=True, xnnpack=xnnpack)
    init = time.perf_counter_ns() - start
    crops = list(np.random.default_rng(0).integers(0, 256, (CROPS, *crop_shape(model.info)), dtype=np.uint8))
    start = time.perf_counter_ns()
    model.scores(crops[0])
    first = time.perf_counter_ns() - start
    for run in range(WARM_UP):
        model.scores(crops[run % CROPS])
    samples = array("q")
    cpu = time.process_time_ns()
    begin = end = time.perf_counter_ns()
    while len(samples) < runs or end - begin < seconds * 1e9:
        crop = crops[len(samples) % CROPS]
        start = time.perf_counter_ns()
        model.scores(crop)
        end = time.perf_counter_ns()
        samples.append(end - start)
    cpu = time.process_time_ns() - cpu
    return ModelLatency(
        threads=threads,
        xnnpack=xnnpack,
        runs=len(samples),
        seconds=(end - begin) / 1e9,
        init_us=init / 1e3,
        first_us=first / 1e3,
        wall_us=Durations.of(np.frombuffer(samples, np.int64) / 1e3),
        cpu_us=cpu / len(samples) / 1e3,
    )
