"""From the camera's thread to the worker: one slot that holds the latest picture."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from fer_edge.device.frame import Frame
from fer_edge.device.sources.base import Source
from fer_edge.errors import SourceError

STALLED = 15.0
"""Seconds without a picture after which a live source is given up; OpenCV's own camera timeout is 10."""

_POLL = 0.1
"""Seconds between two looks at whether to stop; a picture wakes the worker at once."""


class LatestFrame:
    """Reads a live source in a thread of its own and hands over what is newest.

    A picture that nobody has taken when the next one comes is dropped and counted, so that the worker
    is never behind the camera by more than the picture it works on.
    """

    def __init__(self, source: Source, stop: Callable[[], bool]) -> None:
        """Prepare to read `source`; `stop` is asked while waiting whether to give up."""
        self._source = source
        self._stop = stop
        self._condition = threading.Condition()
        self._frame: Frame | None = None
        self._error: BaseException | None = None
        self._ended = False
        self._closing = False
        self._thread = threading.Thread(target=self._read, name="capture", daemon=True)
        self.dropped = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing = True
        # A camera that hangs must not hang the program; the thread is a daemon, and its source knows that it is in use.
        self._thread.join(timeout=2.0)

    def _read(self) -> None:
        try:
            for frame in self._source:
                with self._condition:
                    self.dropped += self._frame is not None
                    self._frame = frame
                    self._condition.notify()
                if self._closing:
                    return
        except BaseException as error:  # handed to the worker, which raises it
            self._error = error
        finally:
            with self._condition:
                self._ended = True
                self._condition.notify()

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the latest picture each time, waiting for one that has not been delivered yet.

        Raises:
            SourceError: from the source, or none came for `STALLED` seconds.
        """
        while (frame := self._take()) is not None:
            yield frame

    def _take(self) -> Frame | None:
        deadline = time.monotonic() + STALLED
        with self._condition:
            while self._frame is None and not self._ended and not self._stop():
                if time.monotonic() > deadline:
                    raise SourceError(
                        f"{self._source.name}: no picture for {STALLED:.0f} seconds; check its cable and whether "
                        "another program uses it"
                    )
                self._condition.wait(_POLL)
            frame, self._frame = self._frame, None
            if frame is None and self._error is not None:
                raise self._error
            return frame
