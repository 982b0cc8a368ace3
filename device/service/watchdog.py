"""Signs of life for systemd: a service of ``Type=notify`` with ``WatchdogSec=``.

The protocol is sd_notify(3): datagrams of ``KEY=VALUE`` to the socket that ``NOTIFY_SOCKET`` names.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

SHARE = 0.25
"""Part of the watchdog's time between two signs of life; sd_watchdog_enabled(3) recommends at most a half."""


class Watchdog:
    """Tells the service manager that the loop is up, and that it still turns.

    Without a service manager everything here does nothing. A manager that cannot be reached is no
    reason to end the loop: it will notice by itself.
    """

    def __init__(
        self, environment: Mapping[str, str] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Read from the environment whether somebody listens.

        Args:
            environment: instead of the process's own.
            clock: seconds, which never go back.
        """
        environment = os.environ if environment is None else environment
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._interval = _interval(environment)
        self._clock = clock
        self._ready = False
        self._next = 0.0
        self._frames, self._since = 0, clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Say that the loop has ended, whatever ended it."""
        self.stopping()

    def beat(self) -> None:
        """Say that the loop still turns; the first time, that the service is up."""
        now = self._clock()
        if not self._ready:
            self._ready = True
            self._next = now + self._interval
            self._send("READY=1")
        elif now >= self._next:
            self._next = now + self._interval
            rate = self._frames / max(now - self._since, 1e-3)
            self._frames, self._since = 0, now
            self._send(f"WATCHDOG=1\nSTATUS={rate:.1f} frames per second")

    def count(self) -> None:
        """Count a frame; how many come in a second is told with the signs of life, for ``systemctl status``."""
        self._frames += 1

    def stopping(self) -> None:
        """Say that the loop has ended and the rest is tidying up."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address.startswith(("/", "@")):
            return
        # A name beginning with @ is of Linux' abstract namespace.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.setblocking(False)
                channel.sendto(message.encode(), address)
        except OSError:
            return


def _interval(environment: Mapping[str, str]) -> float:
    """Return seconds between two signs of life, infinite if nobody waits for them."""
    microseconds, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    # systemd writes up to 20 digits; Python turns no more than 4,300 into a number.
    if not microseconds.isdecimal() or len(microseconds) > 20 or process not in ("", str(os.getpid())):
        return float("inf")
    return int(microseconds) / 1e6 * SHARE
