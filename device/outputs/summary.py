"""What a run amounts to: counts, rate, latency, processor time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from fer_edge.device.results import STAGES, Counters, FrameResult

PERCENTILES = (50, 90, 99)

WINDOW = 10_000
"""Latest pictures from which the percentiles are taken, so that a run of months stays small."""


RATE_WINDOW_S = 2.0
"""Seconds over which `Rate` takes the rate of the moment."""


class Rate:
    """Counts pictures of the latest `RATE_WINDOW_S` seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin; `clock` gives seconds that never go back."""
        self._clock = clock
        self._times: deque[float] = deque()

    def tick(self) -> float:
        """Count one picture and return the rate, 0 before the second one."""
        now = self._clock()
        self._times.append(now)
        while now - self._times[0] > RATE_WINDOW_S and len(self._times) > 2:
            self._times.popleft()
        passed = now - self._times[0]
        return (len(self._times) - 1) / passed if passed else 0.0


class Summary:
    """Gathers the results of a run.

    Time counts from its making until `stop`: wall-clock seconds, and CPU seconds of the whole process.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.with_face = 0
        self._full_searches = 0
        self._searched = 0.0
        self._timings: dict[str, deque[float]] = {stage: deque(maxlen=WINDOW) for stage in STAGES}
        self._started = time.perf_counter()
        self._cpu_started = time.process_time()
        self._taken: tuple[float, float] | None = None

    def add(self, result: FrameResult) -> None:
        """Take in the result of one picture."""
        self.frames += 1
        self.with_face += bool(result.faces)
        self._full_searches += result.full_search
        self._searched += result.searched
        for stage, seconds in result.timings.items():
            self._timings[stage].append(seconds)

    def stop(self) -> None:
        """Count no more time: what follows, such as closing files, is not the loop's."""
        if self._taken is None:
            self._taken = self._passed()

    def _passed(self) -> tuple[float, float]:
        return time.perf_counter() - self._started, time.process_time() - self._cpu_started

    def to_dict(self, counters: Counters) -> dict[str, Any]:
        """Return the JSON-ready figures so far, with what the pipeline counted."""
        seconds, cpu = self._taken or self._passed()
        return {
            "frames": self.frames,
            "dropped": counters.dropped,
            "skipped": counters.skipped,
            "restarts": counters.restarts,
            "frames_with_face": self.with_face,
            "full_searches": self._full_searches,
            "area_searched_per_frame": round(self._searched / self.frames, 3) if self.frames else None,
            "seconds": round(seconds, 3),
            "fps": round(self.frames / seconds, 2),
            "cpu_ms_per_frame": round(1000 * cpu / self.frames, 2) if self.frames else None,
            "latency_ms": {stage: _percentiles(values) for stage, values in self._timings.items() if values},
        }


def _percentiles(seconds: deque[float]) -> dict[str, float]:
    values = np.percentile(np.fromiter(seconds, float), PERCENTILES) * 1000
    return {f"p{p}": round(float(value), 3) for p, value in zip(PERCENTILES, values, strict=True)}


def to_text(summary: dict[str, Any]) -> str:
    """Return the figures of `Summary.to_dict` as lines for a terminal."""
    lines = [
        f"{summary['frames']} frames in {summary['seconds']:.1f} s ({summary['fps']:.1f} per second), "
        f"{summary['dropped']} dropped, {summary['frames_with_face']} with a face"
    ]
    if summary["skipped"] or summary["restarts"]:
        lines.append(f"{summary['skipped']} damaged or empty, source opened again {summary['restarts']} times")
    if summary["frames"]:
        lines.append(f"{'ms per frame':14s}" + "".join(f"{f'p{p}':>10s}" for p in PERCENTILES))
        for stage, values in summary["latency_ms"].items():
            lines.append(f"{stage:14s}" + "".join(f"{value:10.2f}" for value in values.values()))
        lines.append(f"CPU time per frame {summary['cpu_ms_per_frame']:.2f} ms")
    return "\n".join(lines)
