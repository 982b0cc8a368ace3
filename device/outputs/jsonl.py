"""Lines to a file or pipe, each whole or not there; JSON lines: one a picture."""

from __future__ import annotations

import abc
import json
import logging
import os
import select
import stat
import sys
import time
from collections.abc import Callable
from io import UnsupportedOperation
from typing import Any

from fer_edge.device.outputs.append import write_whole
from fer_edge.device.outputs.base import Output
from fer_edge.device.results import FrameResult
from fer_edge.errors import OutputError

_log = logging.getLogger(__name__)

SCHEMA = 1
"""Version of a line's meaning: it grows when a key goes or changes, not when one joins (``frame.schema.json``)."""

PATIENCE = 1.0
"""Seconds that the end of a run waits for a reader to take the last line."""

_POLL = 0.1
"""Seconds between two looks at whether to stop while a reader is slow."""


class Lines(Output):
    """Writes lines to a file, a pipe or standard output; what a line holds is the subclass's.

    Every line reaches the operating system before the next picture is worked on. In a file, a line
    that does not fit any more is taken back. A pipe has a buffer of its own (on Linux 64 KiB) and a
    reader who may be slow: with a live source a line that finds it full is left out and counted; with
    a file the loop waits for the reader.
    """

    option: str

    def __init__(self, target: str, *, live: bool = False, stop: Callable[[], bool] = lambda: False) -> None:
        """Open the output.

        Args:
            target: a path, which is overwritten, or ``-`` for standard output.
            live: do not wait for a slow reader.
            stop: asked while waiting whether to give up.

        Raises:
            OutputError: it cannot be opened.
        """
        self._standard = target == "-"
        self.name = "standard output" if self._standard else target
        self._live = live
        self._stop = stop
        self._rest = b""
        self._file: Any = _standard_output(self.option) if self._standard else _open(target, self.option)
        self._reader = _poll(self._file)
        self._headed = False

    def reopen(self) -> None:
        """Open a file by its name again, as after a rotation; until that succeeds, lines go where they went before."""
        if self._standard or self._reader is not None:
            return
        try:
            reopened = _open(self.name, self.option, empty=False)
        except OutputError as error:
            _log.warning("%s; its lines go to the file that was open", error)
            return
        self._file.close()
        self._file = reopened

    @abc.abstractmethod
    def encode(self, result: FrameResult) -> bytes:
        """Return what is written of a picture: whole lines."""

    def head(self) -> bytes:
        """Return what a new file begins with."""
        return b""

    def write(self, result: FrameResult) -> None:
        """Write what is to be said of a picture.

        Raises:
            OutputError: it does not fit.
            BrokenPipeError: the reader of standard output has gone.
        """
        self.put(self.encode(result))

    def put(self, line: bytes) -> None:
        """Write whole lines; raises as `write` does."""
        if self._is_new():
            line = self.head() + line
        if self._reader is None:
            write_whole(self._file, line, self.name)
        elif self._send():
            self._rest = line
            self._send()
        else:
            self.dropped += 1

    def _is_new(self) -> bool:
        """Say whether nothing is in the file yet, also after somebody else emptied it; standard output is new once."""
        new = not self._headed
        if not self._standard and self._reader is None:
            new = os.fstat(self._file.fileno()).st_size == 0
        self._headed = True
        return new

    def _send(self) -> bool:
        """Pass on what is left of the line before; return whether nothing is left."""
        while self._rest and (self._push(0 if self._live else _POLL) or not (self._live or self._stop())):
            pass
        return not self._rest

    def _push(self, timeout: float) -> bool:
        assert self._reader is not None
        if not self._reader.poll(timeout * 1000):
            return False
        try:
            # A pipe that is ready has room for so many bytes and takes them as one (POSIX, write).
            sent = os.write(self._file.fileno(), self._rest[: select.PIPE_BUF])
        except BlockingIOError:
            return False
        except BrokenPipeError:
            self._rest = b""
            if self._standard:
                raise
            raise OutputError(f"{self.name}: cannot be written; its reader has gone") from None
        except OSError as error:
            self._rest = b""
            raise OutputError(f"{self.name}: cannot be written ({error.strerror})") from error
        self._rest = self._rest[sent:]
        return True

    def close(self) -> None:
        """Close the file; standard output stays open."""
        deadline = time.monotonic() + PATIENCE
        while self._rest and time.monotonic() < deadline:
            self._push(_POLL)
        self.dropped += bool(self._rest)
        if not self._standard:
            self._file.close()


class JsonLines(Lines):
    """Writes `FrameResult.to_dict` as one line of JSON."""

    option = "--jsonl"

    def encode(self, result: FrameResult) -> bytes:
        """Return the line of a picture."""
        return json.dumps({"schema": SCHEMA} | result.to_dict(), separators=(",", ":")).encode() + b"\n"


def _standard_output(option: str) -> Any:
    if sys.stdout is None:
        raise OutputError(f"standard output is closed; open it or name a file with {option}")
    sys.stdout.flush()
    # Unbuffered, so that what did not fit is known. A stand-in for a terminal may have no such layer.
    return getattr(sys.stdout.buffer, "raw", sys.stdout.buffer)


def _open(target: str, option: str, empty: bool = True) -> Any:
    # Appending, so that a file that somebody else empties goes on at its new end, and not behind a hole. A named pipe
    # without a reader is refused instead of waiting for one, where no signal would end the run.
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | (os.O_TRUNC if empty else 0)
    try:
        return open(target, "wb", buffering=0, opener=lambda path, _: os.open(path, flags, 0o666))
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror}); choose another {option}") from error


def _poll(file: Any) -> select.poll | None:
    """Return what tells when a pipe, terminal or socket takes more; None for files and devices, which always do."""
    try:
        mode = os.fstat(file.fileno()).st_mode
    except UnsupportedOperation:
        return None
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or file.isatty()):
        return None
    reader = select.poll()
    reader.register(file.fileno(), select.POLLOUT)
    return reader
