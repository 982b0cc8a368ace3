"""Native libraries that chat on standard error, which no setting of theirs prevents, kept quiet."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = 2


@contextmanager
def native_stderr_held() -> Iterator[None]:
    """Hold back what is written to file descriptor 2 in the block; show it only if the block raises.

    For the import of TensorFlow and the set-up of the TFLite runtime, whose greetings would bury the one
    line that a user has to read. It acts on the whole process: use it at start-up, not in a loop. Several threads
    may be in such a block at once: the descriptor is held until the last of them leaves. Held in memory,
    for a disk may be full; where that cannot be had (other systems than Linux), or nobody reads, nothing is held.
    """
    begun = _hold.enter()
    try:
        yield
    except BaseException:
        _hold.show(begun)
        raise
    finally:
        _hold.leave()


class _Hold:
    """The one redirection of this process: the first who comes makes it, the last who leaves undoes it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._blocks = 0
        self._saved = self._held = -1  # descriptors; -1 while nothing is held
        self._shown = 0

    def enter(self) -> int:
        """Hold standard error; return the number of bytes that are held already."""
        with self._lock:
            self._blocks += 1
            if self._blocks == 1:
                self._redirect()
            return self._size()

    def show(self, begun: int) -> None:
        """Write what came after the first `begun` bytes to the real standard error, and nothing twice."""
        with self._lock:
            _flush()
            begun, end = max(begun, self._shown), self._size()
            if end > begun:
                self._shown = end
                with contextlib.suppress(OSError):  # what the block raised is to be heard, not a full disk
                    os.write(self._saved, os.pread(self._held, end - begun, begun))

    def leave(self) -> None:
        """Let go; the last one brings the real standard error back."""
        with self._lock:
            self._blocks -= 1
            if self._blocks == 0 and self._held >= 0:
                _flush()
                os.dup2(self._saved, STDERR)
                os.close(self._saved)
                os.close(self._held)
                self._saved = self._held = -1

    def _redirect(self) -> None:
        self._shown = 0
        try:
            if sys.stderr is None or not hasattr(os, "memfd_create"):
                raise OSError
            saved = os.dup(STDERR)  # fails where it was closed
        except OSError:
            return
        try:
            held = os.memfd_create("held stderr")
        except OSError:
            os.close(saved)
            return
        _flush()
        os.dup2(held, STDERR)
        self._saved, self._held = saved, held

    def _size(self) -> int:
        return os.fstat(self._held).st_size if self._held >= 0 else 0


_hold = _Hold()


def _flush() -> None:
    with contextlib.suppress(OSError):
        sys.stderr.flush()
