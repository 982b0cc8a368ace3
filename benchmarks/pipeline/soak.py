"""Run the device loop for a long time and watch its memory.

    python benchmarks/pipeline/soak.py [--minutes 30] [--source demo] [--json]

The process's resident memory is read from /proc (Linux) once a second. The growth that counts is that after the
first minute: the median of the last minute less the median of the second.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

PAGE_KB = 4


def resident_mb() -> float:
    """Return the memory that the process holds now, in MB of 1,024 KB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_KB / 1024


def soak(source: str, minutes: float) -> dict[str, Any]:
    """Play a source again and again for some minutes.

    Args:
        source: as for ``fer-edge run --source``; a finite one is repeated.
        minutes: at least 2.

    Returns:
        Pictures, seconds to the first result from the start of the imports, memory in MB.
    """
    started = time.monotonic()
    from fer_edge.device.classify import open_models
    from fer_edge.device.opencv import cv2
    from fer_edge.device.pipeline import Pipeline
    from fer_edge.device.sources import open_source
    from fer_edge.device.sources.wrappers import Repeated
    from fer_edge.shipped import shipped_models

    cv2.setNumThreads(1)
    memory: list[tuple[float, float]] = []
    frames, first = 0, 0.0
    opened = open_source(source)
    with (
        opened if opened.live else Repeated(opened) as played,
        Pipeline(played, open_models([shipped_models()["compact"]])) as pipeline,
    ):
        for _ in pipeline:
            now = time.monotonic() - started
            first = first or now
            frames += 1
            if not memory or now - memory[-1][0] >= 1:
                memory.append((now, resident_mb()))
            if now > 60 * minutes:
                break
    ended = memory[-1][0]
    second = statistics.median(mb for at, mb in memory if 60 <= at < 120)
    last = statistics.median(mb for at, mb in memory if at > ended - 60)
    return {
        "source": source,
        "minutes": minutes,
        "frames": frames,
        "first_result_s": first,
        "memory_mb": max(mb for _, mb in memory),
        "growth_mb": last - second,
    }


def main() -> None:
    """Soak and report."""
    parser = argparse.ArgumentParser(description="Run the device loop for a long time and watch its memory.")
    parser.add_argument("--minutes", type=float, default=30.0, help="how long, at least 3")
    parser.add_argument("--source", default="demo", help="what to play again and again")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    figures = soak(arguments.source, max(arguments.minutes, 3.0))
    if arguments.json:
        print(json.dumps(figures))
    else:
        print(
            f"{figures['frames']} pictures of {figures['source']}, the first after {figures['first_result_s']:.2f} s; "
            f"at most {figures['memory_mb']:.0f} MB, {figures['growth_mb']:+.2f} MB after the first minute"
        )


if __name__ == "__main__":
    main()
