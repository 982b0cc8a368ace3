"""An orderly end on Ctrl-C and on the service manager's SIGTERM; SIGHUP, which asks to open files again."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self, TypeVar

GRACE = 1.0
"""Seconds that what was begun before the loop may still take once the end was asked for; mostly it takes less."""

_POLL = 0.1

Result = TypeVar("Result")


class StopSignals:
    """While it is entered, the first SIGINT or SIGTERM sets `requested` and nothing else.

    The handler takes no lock and raises nothing then, so that no line and no picture is cut in two. A second signal is
    somebody's who waited in vain, and does what it does without us: SIGINT raises KeyboardInterrupt, SIGTERM ends all.
    """

    def __init__(self) -> None:
        self.requested = False
        self._number = signal.SIGINT.value
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._request)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._restore()

    def wait_for(self, work: Callable[[], Result]) -> Result:
        """Return what `work` returns, unless a signal comes first; then end as if nobody had handled it.

        The work is done in a thread of its own, because Python hears no signal while a library waits for a camera or
        a stream in the main one.
        """
        future: Future[Result] = Future()

        def run() -> None:
            try:
                future.set_result(work())
            except BaseException as error:  # raised again where somebody waits for it
                future.set_exception(error)

        threading.Thread(target=run, name="opening", daemon=True).start()
        while not wait([future], _POLL).done:
            if self.requested and not wait([future], GRACE).done:
                self._leave(self._number)
        return future.result()

    def _request(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            self._leave(number)
        self.requested, self._number = True, number

    def _leave(self, number: int) -> NoReturn:
        self._restore()
        signal.raise_signal(number)
        raise KeyboardInterrupt  # a shell's script has its background jobs ignore SIGINT

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


class HangUps:
    """While it is entered, SIGHUP has `pass_on` call something; not awaited, it does what it always does."""

    def __init__(self, awaited: bool) -> None:
        """Prepare; `awaited` is whether the signal means anything, because without that it ends a program."""
        self._awaited = awaited
        self._came = False
        self._before: Any = None

    def __enter__(self) -> Self:
        if self._awaited:
            self._before = signal.signal(signal.SIGHUP, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._awaited:
            signal.signal(signal.SIGHUP, self._before)

    def pass_on(self, work: Callable[[], None]) -> None:
        """Call `work` if the signal came since the last time."""
        if self._came:
            self._came = False
            work()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._came = True
