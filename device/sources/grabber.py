"""From the camera's thread to the worker: one slot that holds the latest picture, and a camera that comes back."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from fer_edge.device.frame import Frame
from fer_edge.device.sources.base import Source
from fer_edge.errors import SourceError

_log = logging.getLogger(__name__)

FIRST = 15.0
"""Seconds that a source has for its first picture."""

STALLED = 5.0
"""Seconds without a picture after which a live source that has delivered some is closed and opened again."""

BACK_OFF = (1.0, 30.0)
"""Seconds between two attempts to open a source again: at first, and at most; they double each time."""

HUNG = 60.0
"""Seconds that one attempt to open a source again may take until it counts as hung; twice the longest pause."""

_POLL = 0.1
"""Seconds between two looks at whether to stop; a picture wakes the worker at once."""


class LatestFrame:
    """Reads a live source in a thread of its own and hands over what is newest.

    A picture that nobody has taken when the next one comes is dropped and counted, so that the worker
    is never behind the camera by more than the picture it works on. A source that has delivered pictures and
    then fails or falls silent is opened again, for as long as it takes. A read that hangs cannot be
    interrupted: its thread is left behind, and ends when the read does.

    Attributes:
        captured: pictures that came.
        dropped: pictures of these that nobody took.
        restarts: times that the source was opened again.
    """

    def __init__(self, source: Source, stop: Callable[[], bool], waiting: Callable[[], None] = lambda: None) -> None:
        """Prepare to read a source.

        Args:
            source: a live one.
            stop: asked while waiting whether to give up.
            waiting: called again and again while a source that has delivered pictures delivers none, and is being
                opened again; not while an attempt to do so hangs.
        """
        self._source = source
        self._stop = stop
        self._waiting = waiting
        self._tried = 0.0
        self._condition = threading.Condition()
        self._frame: Frame | None = None
        self._error: BaseException | None = None
        self._ended = False
        self._closing = threading.Event()
        self._reader = threading.Thread()
        self._reopened: Source | None = None
        self._opening = False
        self._last_index = -1
        self._began = self._last_time = 0.0
        self.captured = self.dropped = self.restarts = 0

    @property
    def skipped(self) -> int:
        """Damaged pictures that the source left out since it was opened last."""
        return (self._reopened or self._source).skipped

    def __enter__(self) -> Self:
        self._start(self._source, None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing.set()
        # A camera that hangs must not hang the program; the thread is a daemon, and its source knows that it is in use.
        self._reader.join(timeout=2.0)
        if self._reopened:
            self._reopened.close()

    def _start(self, source: Source, fault: str | None) -> None:
        self._reader = threading.Thread(target=self._read, args=(source, fault), name="capture", daemon=True)
        self._reader.start()

    def _current(self) -> bool:
        return threading.current_thread() is self._reader and not self._closing.is_set()

    def _read(self, source: Source, fault: str | None) -> None:
        """Read until the end, opening the source again whenever it fails; the body of the capture thread."""
        try:
            while self._current():
                if fault is not None:
                    self._opening = True
                    source = self._open_again(source, fault)
                    self._opening = False
                try:
                    self._deliver(source)
                    break
                except SourceError as error:
                    if not self.captured:
                        raise
                    fault = str(error)
        except BaseException as error:  # handed to the worker, which raises it
            self._error = error
        finally:
            with self._condition:
                left_behind = threading.current_thread() is not self._reader
                self._ended |= not left_behind
                self._condition.notify()
            if left_behind:
                source.close()

    def _deliver(self, source: Source) -> None:
        index, ahead = self._last_index + 1, None
        for frame in source:
            if not self._current():
                return
            if not self.captured:
                self._began = time.monotonic() - frame.time
            elif index:  # opened again: numbers and times go on
                if ahead is None:  # a stream's own clock may have run faster than ours
                    ahead = max(time.monotonic() - self._began, self._last_time) - frame.time
                frame = dataclasses.replace(frame, index=frame.index + index, time=frame.time + ahead)
            with self._condition:
                self.captured += 1
                self._last_index, self._last_time = frame.index, frame.time
                self.dropped += self._frame is not None
                self._frame = frame
                self._condition.notify()

    def _open_again(self, source: Source, fault: str) -> Source:
        """Return the source, opened again; the same one if meanwhile all is over."""
        wait, longest = BACK_OFF
        _log.warning("%s; it is opened again", fault)
        source.close()
        while not self._closing.wait(wait) and self._current():
            self._tried = time.monotonic()
            try:
                opened = source.reopen()
            except SourceError as error:
                wait = min(2 * wait, longest)
                _log.warning("%s; next attempt in %.0f s", error, wait)
                continue
            if opened is None:
                raise SourceError(fault)
            self._reopened = opened
            self.restarts += 1
            _log.warning("%s: opened again (restart %d)", opened.name, self.restarts)
            return opened
        return source

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the latest picture each time, waiting for one that has not been delivered yet.

        Raises:
            SourceError: from the source before its first picture, or none came for `FIRST` seconds.
        """
        while (frame := self._take()) is not None:
            yield frame

    def _take(self) -> Frame | None:
        since = self._tried = time.monotonic()
        with self._condition:
            while self._frame is None and not self._ended and not self._stop():
                silent = time.monotonic() - since
                if not self.captured and silent > FIRST:
                    raise SourceError(
                        f"{self._source.name}: no picture for {FIRST:.0f} seconds; check its cable and whether "
                        "another program uses it"
                    )
                if self._opening:
                    since = time.monotonic()
                elif self.captured and silent > STALLED:
                    since = time.monotonic()
                    self._start(
                        self._reopened or self._source, f"{self._source.name}: no picture for {STALLED:g} seconds"
                    )
                if self.captured and time.monotonic() - self._tried < HUNG:
                    self._waiting()
                self._condition.wait(_POLL)
            frame, self._frame = self._frame, None
            if frame is None and self._error is not None:
                raise self._error
            return frame
