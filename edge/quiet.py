"""Native libraries that chat on standard error, which no setting of theirs prevents, kept quiet."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = 2


@contextmanager
def native_stderr_held() -> Iterator[None]:
    """Hold back what is written to file descriptor 2 in the block; show it only if the block raises.

    For the import of TensorFlow and the set-up of the TFLite runtime, whose greetings would bury the one
    line that a user has to read. It acts on the whole process: use it at start-up, not in a loop.
    """
    sys.stderr.flush()
    saved = os.dup(STDERR)
    try:
        with tempfile.TemporaryFile() as held:
            os.dup2(held.fileno(), STDERR)
            try:
                yield
            except BaseException:
                held.seek(0)
                os.write(saved, held.read())
                raise
            finally:
                sys.stderr.flush()
                os.dup2(saved, STDERR)
    finally:
        os.close(saved)
