"""Files that are written whole or not at all; places that cannot be written, found out before; folders for one process.

A folder is locked by the system (flock), not by a file that is there: a killed process leaves no lock behind.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from fer_edge.errors import OutputError

LOCK = ".lock"
"""In a folder that one process at a time may use."""


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
    # A new name each time: two containers that share a folder have processes of one number, and a process has threads.
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as file:
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


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Make a folder and be the only process that uses it, until the block ends.

    A folder that was made for this and is still empty at the end goes again.

    Raises:
        OutputError: another process uses it; says which, and since when.
        OSError: it cannot be made or written.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = _take_lock(folder)
        try:
            yield
        finally:
            (folder / LOCK).unlink(missing_ok=True)  # before it is let go: who waits for none finds none
            os.close(descriptor)
    finally:
        with contextlib.suppress(OSError):
            for each in made:
                each.rmdir()


def _take_lock(folder: Path) -> int:
    """Return the descriptor of a folder's lock file, locked."""
    while True:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode("ascii", "replace").strip() or "one that has just begun"
            os.close(descriptor)
            raise OutputError(
                f"{folder}: expected a folder that nobody uses, found another process at work in it ({holder}); wait "
                "for its end, or choose another folder"
            ) from None
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL):
                os.close(descriptor)
                raise
            # A file system without locks: no worse than before there were any.
        if _is_at(descriptor, folder / LOCK):
            started = datetime.now(UTC).isoformat(timespec="seconds")
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()}, since {started}\n".encode(), 0)
            return descriptor
        os.close(descriptor)  # the one before has just removed it


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
