"""Native libraries that chat on standard error, which no setting of theirs prevents, kept quiet."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = 2


@contextmanager
def native_stderr_held() -> Iterator[None]:
    """Hold back what is written to file descriptor 2 in the block; show it only if the block raises.

    For the import of TensorFlow and the set-up of the TFLite runtime, whose greetings would bury the one
    line that a user has to read. It acts on the whole process: use it at start-up, not in a loop. Held in memory,
    for a disk may be full; where that cannot be had (other systems than Linux), or nobody reads, nothing is held.
    """
    with contextlib.ExitStack() as files:
        try:
            if sys.stderr is None or not hasattr(os, "memfd_create"):
                raise OSError
            saved = os.dup(STDERR)  # fails where it was closed
            files.callback(os.close, saved)
            held = os.memfd_create("held stderr")
            files.callback(os.close, held)
        except OSError:
            held = None
        if held is None:
            yield
            return
        _flush()
        os.dup2(held, STDERR)
        try:
            yield
        except BaseException:
            with contextlib.suppress(OSError):  # what the block raised is to be heard, not a full disk
                os.write(saved, os.pread(held, os.fstat(held).st_size, 0))
            raise
        finally:
            _flush()
            os.dup2(saved, STDERR)


def _flush() -> None:
    with contextlib.suppress(OSError):
        sys.stderr.flush()
