"""Appending to a file all or nothing."""

from __future__ import annotations

import contextlib
import os
from io import RawIOBase

from fer_edge.errors import OutputError


def write_whole(file: RawIOBase, data: bytes, name: str) -> None:
    """Append data to a regular file, or leave the file as it was.

    Args:
        file: opened unbuffered, so that what does not fit is known at once.
        data: what to append.
        name: for the message.

    Raises:
        OutputError: the disk is full, the file has reached its greatest size, or the like.
    """
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[file.write(rest) or 0 :]
    except OSError as error:
        with contextlib.suppress(OSError):  # a device that cannot be cut was not written either
            _take_back(file, len(data) - len(rest))
        raise OutputError(f"{name}: cannot be written ({error.strerror}); what it holds already is whole") from error


def _take_back(file: RawIOBase, written: int) -> None:
    """Cut off the bytes written last, unless somebody else's follow them."""
    if not written:
        return
    # Counted from their end: where they begin is not known before, as a file opened to append (a shell's >>) stands at
    # its beginning until the first write, and others may append to it meanwhile.
    end = file.tell()
    if end == file.seek(0, os.SEEK_END):
        file.truncate(end - written)
    file.seek(end - written)
