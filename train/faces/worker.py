"""Batches made by another process, so that drawing and training share the processor's cores."""

from __future__ import annotations

import multiprocessing
import os
import queue
from collections.abc import Callable, Iterator
from multiprocessing.queues import Queue
from types import TracebackType

from fer_edge.errors import FerEdgeError
from fer_edge.train.faces.fit import Batch

WAITING = 6
"""Batches kept ready."""
TIMEOUT_S = 300.0


class BatchWorker(Iterator[Batch]):
    """A process that makes batches until it is closed."""

    def __init__(self, make: Callable[[], Iterator[Batch]]) -> None:
        """Start the process.

        Args:
            make: called in the process; must be picklable, as a `functools.partial` of a module's function is.
        """
        context = multiprocessing.get_context("spawn")
        self._queue: Queue[Batch] = context.Queue(WAITING)
        self._process = context.Process(target=_work, args=(make, self._queue), daemon=True)
        self._process.start()

    def __enter__(self) -> BatchWorker:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()
        self._queue.close()

    def __next__(self) -> Batch:
        """Return the next batch.

        Raises:
            FerEdgeError: the process ended, or gives none.
        """
        waited = 0.0
        while waited < TIMEOUT_S:
            try:
                return self._queue.get(timeout=5)
            except queue.Empty:
                waited += 5
                if not self._process.is_alive():
                    break
        raise FerEdgeError("expected batches from the process that draws them, found none; see its message above")


def _work(make: Callable[[], Iterator[Batch]], batches: Queue[Batch]) -> None:
    import cv2

    cv2.setNumThreads(1)
    batches.cancel_join_thread()  # a reader that was killed would be waited for without end
    parent = os.getppid()
    for batch in make():
        while True:
            try:
                batches.put(batch, timeout=10)
                break
            except queue.Full:
                if os.getppid() != parent:  # nobody reads any more
                    return
