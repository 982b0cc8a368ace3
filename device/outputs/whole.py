"""Appending to a file all or nothing."""

from __future__ import annotations

import contextlib
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
    start = file.tell()
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[file.write(rest) or 0 :]
    except OSError as error:
        with contextlib.suppress(OSError):  # a device that cannot be cut was not written either
            file.truncate(start)
            file.seek(start)
        raise OutputError(f"{name}: cannot be written ({error.strerror}); what it holds already is whole") from error
