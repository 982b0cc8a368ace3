"""What the command line needs of an output."""

from __future__ import annotations

import abc
from types import TracebackType
from typing import Self

from fer_edge.device.results import FrameResult


class Output(abc.ABC):
    """Takes the results one by one; a context manager, closed at the end whatever happened.

    Attributes:
        name: for messages and metrics, such as ``--jsonl out.jsonl``.
        dismissed: the user has had enough, and the run should end.
        dropped: what was left out because the output could not keep up: pictures, lines, messages.
    """

    name: str
    dismissed: bool = False
    dropped: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @abc.abstractmethod
    def write(self, result: FrameResult) -> None:
        """Take the result of one picture; raises OutputError if it cannot be kept."""

    def silent(self, seconds: float) -> None:  # noqa: B027  (most outputs say nothing; an empty default is meant)
        """Learn that a live source has delivered nothing for so long; called several times a second meanwhile."""

    def reopen(self) -> None:  # noqa: B027  (most outputs have no file that is rotated)
        """Open the file by its name again, if that is what the output writes to."""

    @abc.abstractmethod
    def close(self) -> None:
        """Finish what was written."""
