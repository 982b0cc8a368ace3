"""A slow output in a thread of its own, behind a queue of a few results."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from fer_edge.device.outputs.base import Output
from fer_edge.device.results import FrameResult
from fer_edge.device.service.worker import Worker
from fer_edge.errors import OutputError

CLOSE_TIMEOUT_S = 8.0
"""Time that the end of a run waits for what is still queued; systemd waits 20 s in all for fer-edge's service."""

_POLL_S = 0.1
"""Time between two looks at whether to stop; room in the queue wakes the loop at once."""


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
        self._queue: deque[FrameResult] = deque()  # guarded by the worker's condition
        self._told = False
        self._worker = Worker(f"output {self.name}", self._write_all)
        self._worker.start()

    def write(self, result: FrameResult) -> None:
        """Queue a result; raises what the output raised for an earlier one."""
        with self._worker.condition:
            while not self._has_room() and not self._worker.ended and not self._live and not self._stop():
                self._worker.condition.wait(_POLL_S)
            self._check()
            if self._has_room():
                self._queue.append(result)
                self._worker.condition.notify_all()
            else:
                self.dropped += 1

    def _has_room(self) -> bool:
        return len(self._queue) < self._size

    def _check(self) -> None:
        self._told |= self._worker.error is not None
        self._worker.check()

    def _write_all(self) -> None:
        try:
            while (result := self._take()) is not None:
                self._output.write(result)
        finally:
            self._output.close()

    def _take(self) -> FrameResult | None:
        with self._worker.condition:
            while not self._queue and not self._worker.stopping.is_set():
                self._worker.condition.wait()
            result = self._queue.popleft() if self._queue else None
            self._worker.condition.notify_all()
            return result

    def close(self) -> None:
        """Wait until everything queued is written and the output is closed.

        Raises:
            OutputError: the output failed, or takes longer than `CLOSE_TIMEOUT_S`.
        """
        if not self._worker.stop(CLOSE_TIMEOUT_S):
            raise OutputError(
                f"{self.name}: {len(self._queue) + 1} pictures are not written {CLOSE_TIMEOUT_S:.0f} seconds after the "
                "end; its disk does not answer"
            )
        if not self._told:
            self._check()
