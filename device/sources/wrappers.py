"""Sources around a source: a file played again and again, or at the pace of life."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator

from fer_edge.device.frame import Frame
from fer_edge.device.sources.base import Source

MAX_LATENESS_S = 0.5
"""Seconds of lateness that are caught up with; after more, the film goes on from where it is."""

_POLL_S = 0.1
"""Seconds between two looks at whether to stop."""


class Repeated(Source):
    """A finite source played again and again, with numbers and times that go on."""

    def __init__(self, source: Source) -> None:
        """Wrap a source and take over closing it."""
        self._source = source
        self.name, self.live, self.stills, self.fps = source.name, source.live, source.stills, source.fps

    @property
    def skipped(self) -> int:  # type: ignore[override]
        """Damaged pictures of all rounds."""
        return self._source.skipped

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the frames, round after round, without end."""
        first_index, first_time = 0, 0.0
        while True:
            index, time = first_index, first_time
            for frame in self._source:
                index, time = first_index + frame.index, first_time + frame.time
                yield dataclasses.replace(frame, index=index, time=time)
            first_index, first_time = index + 1, time + 1 / (self.fps or 1.0)

    def close(self) -> None:
        """Close the source."""
        self._source.close()


class Paced(Source):
    """A finite source at its own rate, since somebody looks at it; of photos one a second."""

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
                time.sleep(min(wait, _POLL_S))
            if time.monotonic() - start - frame.time > MAX_LATENESS_S:
                start = time.monotonic() - frame.time
            yield frame
