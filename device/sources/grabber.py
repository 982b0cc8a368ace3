"""FrameGrabber: one slot with the latest frame between capture thread and loop, and a camera that comes back."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from fer_edge.device.frame import Frame
from fer_edge.device.service.worker import Worker
from fer_edge.device.sources.base import FIRST_FRAME_TIMEOUT_S, SILENCE_TIMEOUT_S, Source
from fer_edge.errors import FerEdgeError, SourceError

_log = logging.getLogger(__name__)

BACK_OFF_S = (1.0, 30.0)
"""Pause before an attempt to open a source again: at first, and at most; it doubles each time."""

REOPEN_TIMEOUT_S = 60.0
"""Time that one attempt to open a source again may take until it counts as hung; twice the longest pause."""

_STOP_TIMEOUT_S = 2.0
"""Wait for the capture thread at the end; a camera that hangs must not hang the program."""

_POLL_S = 0.1
"""Time between two looks at whether to stop; a frame wakes the loop at once."""


@dataclasses.dataclass(frozen=True)
class Captured:
    """What came from a live source so far, counted over all times that it was opened.

    Attributes:
        frames: frames that came whole.
        dropped: frames of these that nobody took.
        skipped: frames that came damaged and were left out by the source.
        restarts: times that the source was opened again.
    """

    frames: int = 0
    dropped: int = 0
    skipped: int = 0
    restarts: int = 0


class FrameGrabber:
    """Reads a live source in a thread of its own and hands over the latest frame.

    A frame that nobody has taken when the next one comes is dropped and counted, so that the loop
    is never behind the camera by more than the frame it works on. A source that has delivered frames and
    then fails or falls silent is opened again, for as long as it takes. A read that hangs cannot be
    interrupted: its thread is left behind, and ends when the read does.
    """

    def __init__(
        self, source: Source, stop: Callable[[], bool], waiting: Callable[[float], None] = lambda silent_s: None
    ) -> None:
        """Prepare to read a source.

        Args:
            source: a live one; stays the caller's to close.
            stop: asked while waiting whether to give up.
            waiting: called again and again, in the thread that iterates, while a source that has delivered frames
                delivers none, with the seconds since the latest; not while an attempt to open it again hangs.
        """
        self._name = source.name
        self._stop = stop
        self._waiting = waiting
        self._worker = Worker("capture", self._read, self._is_worth_another_try)
        # What follows is guarded by the worker's condition.
        self._source = source
        self._is_own = False  # the source was opened here, and is closed here
        self._fault: str | None = None  # why the source is being opened again
        self._attempted = 0.0
        self._frame: Frame | None = None
        self._frames = self._dropped = self._restarts = self._skipped_before = 0
        self._last_index = -1
        self._began = self._last_time = self._arrived = 0.0

    @property
    def captured(self) -> Captured:
        """What came so far."""
        with self._worker.condition:
            skipped = self._skipped_before + self._source.skipped
            return Captured(self._frames, self._dropped, skipped, self._restarts)

    def __enter__(self) -> Self:
        self._worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._worker.stop(_STOP_TIMEOUT_S)
        with self._worker.condition:
            opened = self._source if self._is_own else None
        if opened is not None:
            opened.close()

    def _read(self) -> None:
        """Read the source until its end, after opening it again if it had a fault; the work of the capture thread."""
        with self._worker.condition:
            source, fault = self._source, self._fault
        if fault is not None:
            reopened = self._open_again(source, fault)
            if reopened is None:
                return
            source = reopened
        try:
            self._deliver(source)
        finally:
            with self._worker.condition:
                left_behind = self._worker.is_left_behind()
            if left_behind:
                source.close()

    def _is_worth_another_try(self, error: Exception) -> bool:
        with self._worker.condition:
            # With a fault still set, the error is that of opening again, which has made its own attempts.
            if self._fault is None and self._frames and isinstance(error, SourceError):
                self._fault, self._attempted = str(error), time.monotonic()
                return True
            return False

    def _deliver(self, source: Source) -> None:
        first, ahead = 0, None
        for frame in source:
            with self._worker.condition:
                if not self._worker.is_current():
                    return
                if ahead is None:
                    first, ahead = self._last_index + 1, self._time_ahead(frame)
                if first:  # opened again: numbers and times go on
                    frame = dataclasses.replace(frame, index=frame.index + first, time=frame.time + ahead)
                self._frames += 1
                self._last_index, self._last_time, self._arrived = frame.index, frame.time, time.monotonic()
                self._dropped += self._frame is not None
                self._frame = frame
                self._worker.condition.notify_all()

    def _time_ahead(self, frame: Frame) -> float:
        """Return how far the first frame since the source was opened is behind the time of all frames, in seconds."""
        now = time.monotonic()
        if not self._frames:
            self._began = now - frame.time
            return 0.0
        # The source's own clock may have run faster than ours.
        return max(now - self._began, self._last_time) - frame.time

    def _open_again(self, source: Source, fault: str) -> Source | None:
        """Return the source, opened again; None if meanwhile all is over or another thread has taken over."""
        wait, longest = BACK_OFF_S
        _log.warning("%s; it is opened again", fault)
        source.close()
        while not self._worker.stopping.wait(wait):
            with self._worker.condition:
                if not self._worker.is_current():
                    return None
                self._attempted = time.monotonic()
            try:
                opened = source.reopen()
            except SourceError as error:
                wait = min(2 * wait, longest)
                _log.warning("%s; next attempt in %.0f s", error, wait)
                continue
            if opened is None:
                raise SourceError(fault)
            return self._take_over(source, opened)
        return None

    def _take_over(self, former: Source, opened: Source) -> Source | None:
        with self._worker.condition:
            current = self._worker.is_current()
            if current:
                self._skipped_before += former.skipped
                self._source, self._is_own, self._fault = opened, True, None
                self._restarts += 1
        if not current:
            opened.close()
            return None
        _log.warning("%s: opened again (restart %d)", opened.name, self._restarts)
        return opened

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the latest frame each time, waiting for one that has not been delivered yet.

        Raises:
            SourceError: from the source before its first frame, none came for `FIRST_FRAME_TIMEOUT_S`, or reading
                failed in a way that opening again does not cure.
        """
        while (frame := self._take()) is not None:
            yield frame

    def _take(self) -> Frame | None:
        since = time.monotonic()
        while True:
            with self._worker.condition:
                if self._frame is None and not self._worker.ended:
                    self._worker.condition.wait(_POLL_S)
                frame, self._frame = self._frame, None
                if frame is not None:
                    return frame
                if self._worker.ended or self._stop():
                    break
                since = self._look_after_silence(since)
                now = time.monotonic()
                waits = self._frames and now - self._attempted < REOPEN_TIMEOUT_S
                silent_s = now - self._arrived
            if waits:
                self._waiting(silent_s)
        self._raise_error()
        return None

    def _look_after_silence(self, since: float) -> float:
        """Have a source that is silent for too long opened again; return from when on its silence counts."""
        now = time.monotonic()
        if not self._frames:
            if now - since > FIRST_FRAME_TIMEOUT_S:
                raise SourceError(
                    f"{self._name}: no picture for {FIRST_FRAME_TIMEOUT_S:.0f} seconds; check its cable and whether "
                    "another program uses it"
                )
        elif self._fault is not None:
            return now
        elif now - since > SILENCE_TIMEOUT_S:
            self._fault, self._attempted = f"{self._name}: no picture for {SILENCE_TIMEOUT_S:g} seconds", now
            self._worker.restart()
            return now
        else:
            self._attempted = now
        return since

    def _raise_error(self) -> None:
        error = self._worker.error
        if isinstance(error, Exception) and not isinstance(error, FerEdgeError):
            reason = " ".join(str(error).split())
            raise SourceError(
                f"{self._name}: its pictures cannot be read any more ({type(error).__name__}: {reason})"
            ) from error
        self._worker.check()
