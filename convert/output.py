"""Where results go: found out before the long work, written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from fer_edge.errors import OutputError
from fer_edge.model_file import write_atomically


def check_writable(path: Path, size: int) -> None:
    """Raise OutputError unless a file of `size` bytes can be written at `path` now."""
    folder = path.parent
    if not folder.is_dir():
        raise OutputError(f"{path}: expected an existing folder {folder}, found none; create it or choose another")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({os.strerror(error.errno or 0)}); choose another place"
        ) from error
    free = shutil.disk_usage(folder).free
    if free < size:
        raise OutputError(
            f"{path}: expected {size / 1024:.0f} KB of free space, found {free / 1024:.0f} KB; make room or choose "
            "another place"
        )


def write_result(path: Path, data: bytes) -> None:
    """Write a file atomically.

    Raises:
        OutputError: it could not be written; what was there before is unchanged.
    """
    try:
        write_atomically(path, data)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); choose another place") from error
