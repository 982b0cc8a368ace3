"""What the device loop needs of a source of pictures."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from fer_edge.device.frame import Frame

FIRST_FRAME_TIMEOUT_S = 15.0
"""Time that a live source has for its first frame."""

SILENCE_TIMEOUT_S = 5.0
"""Time without a frame after which a live source that has delivered some is closed and opened again."""


class Source(abc.ABC):
    """A camera, a file or a folder: a context manager that is iterated for its frames.

    A finite source can be iterated again and then starts over. Constructing one opens it, so that a
    source that cannot work says so before anything else is set up.

    Attributes:
        name: for messages, such as ``webcam 0`` or a path.
        live: pictures come whether they are read or not, and a late reader may skip some.
        stills: the pictures are unrelated, so nothing found in one says anything about the next.
        fps: pictures per second, None where it is unknown or means nothing.
        skipped: pictures that came damaged or empty and were left out.
        takes_fps: it stores no times, so that the rate of its frames has to be said.
    """

    name: str
    live: bool = False
    stills: bool = False
    fps: float | None = None
    skipped: int = 0
    takes_fps: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @abc.abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Deliver the frames; raises SourceError when they stop coming for a reason other than the end."""

    def reopen(self) -> Source | None:
        """Open the same camera or stream once more, after this one failed and was closed.

        Returns:
            A new source, None where that cannot help.

        Raises:
            SourceError: it is still not there.
        """
        return None

    def close(self) -> None:  # noqa: B027  (most sources hold nothing; an empty default is meant)
        """Release what the source holds; it cannot be iterated afterwards."""
