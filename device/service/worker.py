"""A thread with an owner: the one rule for threads of the device side."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


def _give_up(error: Exception) -> bool:
    return False


class Worker:
    """Runs one work in a daemon thread, and answers to the owner who made it.

    An error of the work never gets lost and never appears twice: it is first offered to `failed`, which may ask for
    another try, and otherwise kept for the owner, who raises it with `check`. A thread that hangs cannot be ended.
    The owner waits for it only so long (`stop`), or leaves it behind and continues in a new one (`restart`).
    A thread that was left behind has no voice any more: its error and its end change nothing.

    Attributes:
        name: of the thread.
        condition: guards what the thread and its owner share. The end of the work notifies it.
        stopping: set once the owner has asked for the end.
        restarts: times that the work was begun again, after an error or in place of a thread that hung.
        error: what ended the work, None while it runs and after an orderly end.
        ended: the work is over.
    """

    def __init__(self, name: str, work: Callable[[], None], failed: Callable[[Exception], bool] = _give_up) -> None:
        """Prepare; `start` begins.

        Args:
            name: of the thread.
            work: what to do. It should return soon after `is_current` became false.
            failed: told in the thread of an error that the work raised; returns whether to run the work again.
        """
        self.name = name
        self.condition = threading.Condition()
        self.stopping = threading.Event()
        self.restarts = 0
        self.error: BaseException | None = None
        self.ended = False
        self._work = work
        self._failed = failed
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin the work; call it once."""
        with self.condition:
            self._begin()

    def restart(self) -> None:
        """Leave the thread behind, wherever it hangs, and run the work again in a new one."""
        with self.condition:
            self.restarts += 1
            self._begin()

    def is_current(self) -> bool:
        """Return whether the calling thread is the one at work and nobody has asked for the end.

        Hold `condition` while asking and while acting on the answer; otherwise it may be outdated at once.
        """
        return not self.is_left_behind() and not self.stopping.is_set()

    def is_left_behind(self) -> bool:
        """Return whether another thread is in the place of the calling one; hold `condition` as for `is_current`."""
        return threading.current_thread() is not self._thread

    def stop(self, timeout_s: float) -> bool:
        """Ask for the end and wait for it.

        Args:
            timeout_s: longest wait in seconds.

        Returns:
            Whether the thread has ended, or never began.
        """
        with self.condition:
            self.stopping.set()
            self.condition.notify_all()
            thread = self._thread
        if thread is None:
            return True
        thread.join(timeout_s)
        return not thread.is_alive()

    def check(self) -> None:
        """Raise the error that ended the work, if there is one."""
        if self.error is not None:
            raise self.error

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while self._fails():
                with self.condition:
                    self.restarts += 1
        except BaseException as error:  # kept for the owner, who raises it
            self._end(error)
        else:
            self._end(None)

    def _fails(self) -> bool:
        """Run the work once; return whether it failed and is to be tried again."""
        try:
            self._work()
        except Exception as error:
            with self.condition:
                current = self.is_current()
            if not (current and self._failed(error)):
                raise
            return True
        return False

    def _end(self, error: BaseException | None) -> None:
        with self.condition:
            if not self.is_left_behind():
                self.error, self.ended = error, True
                self.condition.notify_all()
            elif error is not None:
                _log.debug("%s: a thread that was left behind ended with %r", self.name, error)
