"""A slow output in a thread of its own, behind a queue of a few results."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from fer_edge.device.outputs.base import Output
from fer_edge.device.results import FrameResult
from fer_edge.errors import OutputError

PATIENCE = 8.0
"""Seconds that the end of a run waits for what is still queued; systemd waits 20 in all for fer-edge's service."""

_POLL = 0.1
"""Seconds between two looks at whether to stop; room in the queue wakes the loop at once."""


class Background(Output):
    """Hands results to another output, so that a slow disk does not hold up the loop.

    With a live source a result that finds the queue full is left out and counted. With a file the
    loop waits instead: there is no camera to fall behind, and nothing may be missing.
    """

    def __init__(self, output: Output, size: int, *, live: bool, stop: Callable[[], bool] = lambda: False) -> None:
        """Take over an output.

        Args:
            output: used and closed by the thread from now on.
            size: results that may wait. Each holds its picture.
            live: leave out instead of waiting.
            stop: asked while waiting whether to give up, which leaves out and counts.
        """
        self.name = output.name
        self._output = output
        self._size = size
        self._live = live
        self._stop = stop
        self._queue: deque[FrameResult] = deque()
        self._condition = threading.Condition()
        self._closing = False
        self._error: BaseException | None = None
        self._told = False
        self._thread = threading.Thread(target=self._run, name=f"output {self.name}", daemon=True)
        self._thread.start()

    def write(self, result: FrameResult) -> None:
        """Queue a result; raises what the output raised for an earlier one."""
        with self._condition:
            while not self._has_room() and not self._live and not self._stop():
                self._condition.wait(_POLL)
            self._raise_error()
            if self._has_room():
                self._queue.append(result)
                self._condition.notify_all()
            else:
                self.dropped += 1

    def _has_room(self) -> bool:
        return len(self._queue) < self._size or self._error is not None

    def _raise_error(self) -> None:
        if self._error is not None:
            self._told = True
            raise self._error

    def _run(self) -> None:
        try:
            try:
                while (result := self._take()) is not None:
                    self._output.write(result)
            finally:
                self._output.close()
        except BaseException as error:  # handed to the loop, which raises it
            with self._condition:
                self._error = error
                self._condition.notify_all()

    def _take(self) -> FrameResult | None:
        with self._condition:
            while not self._queue and not self._closing:
                self._condition.wait()
            result = self._queue.popleft() if self._queue else None
            self._condition.notify_all()
            return result

    def close(self) -> None:
        """Wait until everything queued is written and the output is closed.

        Raises:
            OutputError: the output failed, or takes longer than `PATIENCE`.
        """
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            raise OutputError(
                f"{self.name}: {len(self._queue) + 1} pictures are not written {PATIENCE:.0f} seconds after the end; "
                "its disk does not answer"
            )
        if not self._told:
            self._raise_error()
