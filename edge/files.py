"""Files that are written whole or not at all, and places that cannot be written found out before the work."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

from fer_edge.errors import OutputError


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is either the old or the whole new one, even after a power cut.

    The content is on the disk before it gets its name, and the name before this returns. A symbolic link stays one;
    the file it points to is written.

    Raises:
        OutputError: `path` is a device, a pipe or a folder, which a rename would replace.
        OSError: the disk is full, the folder is read-only or does not exist.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise OutputError(f"{path}: expected a file to write, found something else; name another")
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where its file system can do that for folders."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def write_result(path: Path, data: bytes) -> None:
    """Write a file as `write_atomically` does.

    Raises:
        OutputError: it could not be written; what was there before is unchanged.
    """
    try:
        write_atomically(path, data)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); choose another place") from error


def check_writable(path: Path, size: int = 0) -> None:
    """Raise OutputError unless a file of `size` bytes can be written at `path` now."""
    if path.exists() and not path.is_file():
        raise OutputError(f"{path}: expected a file or a new name, found a device, pipe or folder; choose another")
    folder = path.resolve().parent  # of the file behind a link
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
