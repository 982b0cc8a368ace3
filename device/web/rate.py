"""How many pictures a second."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

WINDOW = 2.0
"""Seconds over which the rate is taken."""


class Rate:
    """Counts pictures of the latest `WINDOW` seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin; `clock` gives seconds that never go back."""
        self._clock = clock
        self._times: deque[float] = deque()

    def tick(self) -> float:
        """Count one picture and return the rate, 0 before the second one."""
        now = self._clock()
        self._times.append(now)
        while now - self._times[0] > WINDOW and len(self._times) > 2:
            self._times.popleft()
        passed = now - self._times[0]
        return (len(self._times) - 1) / passed if passed else 0.0
