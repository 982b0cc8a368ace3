"""Where the document of a measurement is written; whether it can be is known before the measurement."""

from __future__ import annotations

import tempfile
from pathlib import Path

from fer_edge.errors import OutputError
from fer_edge.model_file import write_atomically


def check_writable(path: Path) -> None:
    """Raise OutputError before the measurement, not after it."""
    if path.exists() and not path.is_file():  # an atomic write would put a file in the place of a device or pipe
        raise OutputError(f"{path}: expected a file or a new name for --out, found a device or pipe; choose another")
    try:
        with tempfile.TemporaryFile(dir=path.resolve().parent):
            pass
    except OSError as error:
        raise _cannot_write(path, error) from error


def write_document(path: Path, document: str) -> None:
    """Write the document, whole or not at all; raises OutputError."""
    try:
        # Resolved, so that the file behind a link is replaced and not the link.
        write_atomically(path.resolve(), document.encode() + b"\n")
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path}: the result cannot be written there ({error.strerror}); choose another --out")
