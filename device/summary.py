"""What a run amounted to: counts, rate, latency, processor time."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import numpy as np

from fer_edge.device.results import STAGES, Counters, FrameResult

PERCENTILES = (50, 90, 99)

WINDOW = 10_000
"""Latest pictures from which the percentiles are taken, so that a run of months stays small."""


class Summary:
    """Gathers the results of a run.

    Time counts from its making: wall-clock seconds, and CPU seconds of the whole process.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.with_face = 0
        self._full_searches = 0
        self._searched = 0.0
        self._timings: dict[str, deque[float]] = {stage: deque(maxlen=WINDOW) for stage in STAGES}
        self._started = time.perf_counter()
        self._cpu_started = time.process_time()

    def add(self, result: FrameResult) -> None:
        """Take in the result of one picture."""
        self.frames += 1
        self.with_face += bool(result.faces)
        self._full_searches += result.full_search
        self._searched += result.searched
        for stage, seconds in result.timings.items():
            self._timings[stage].append(seconds)

    def to_dict(self, counters: Counters) -> dict[str, Any]:
        """Return the JSON-ready figures so far, with what the pipeline counted."""
        seconds, cpu = time.perf_counter() - self._started, time.process_time() - self._cpu_started
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
