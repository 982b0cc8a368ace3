"""How long the parts of a conversion take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Takes the wall time of stages, in seconds."""

    def __init__(self) -> None:
        self._started, self._stages = time.perf_counter(), dict[str, float]()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block."""
        started = time.perf_counter()
        yield
        self._stages[name] = round(time.perf_counter() - started, 2)

    def seconds(self) -> dict[str, float]:
        """Return the time of each stage, and the ``total`` since the beginning."""
        return {**self._stages, "total": round(time.perf_counter() - self._started, 2)}
