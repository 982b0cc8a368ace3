"""A file played at the pace of life, since somebody looks at it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from fer_edge.device.frame import Frame
from fer_edge.device.sources.base import Source

BEHIND = 0.5
"""Seconds of lateness that are caught up with; after more, the film goes on from where it is."""

_POLL = 0.1
"""Seconds between two looks at whether to stop."""


class Paced(Source):
    """A film at its own rate; of photos one a second."""

    def __init__(self, source: Source, stop: Callable[[], bool]) -> None:
        """Wrap a source, which remains the caller's to close; `stop` is asked while waiting whether to end."""
        self._source, self._stop = source, stop
        self.name, self.stills, self.fps = source.name, source.stills, source.fps

    @property
    def skipped(self) -> int:  # type: ignore[override]
        """Damaged pictures that the source left out."""
        return self._source.skipped

    def __iter__(self) -> Iterator[Frame]:
        """Deliver each picture when its time has come; none is left out if that is not possible."""
        start = time.monotonic()
        for frame in self._source:
            while (wait := start + frame.time - time.monotonic()) > 0 and not self._stop():
                time.sleep(min(wait, _POLL))
            if time.monotonic() - start - frame.time > BEHIND:
                start = time.monotonic() - frame.time
            yield frame
