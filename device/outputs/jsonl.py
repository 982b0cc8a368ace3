"""JSON lines: one line a picture, each whole or not there."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from fer_edge.device.outputs.base import Output
from fer_edge.device.results import FrameResult
from fer_edge.errors import OutputError


class JsonLines(Output):
    """Writes `FrameResult.to_dict` as a line to a file or to standard output.

    Every line reaches the operating system before the next picture is worked on. When a line does not
    fit any more, the part of it that did is taken back.
    """

    def __init__(self, target: str) -> None:
        """Open the output.

        Args:
            target: a path, which is overwritten, or ``-`` for standard output.

        Raises:
            OutputError: it cannot be opened.
        """
        self._standard = target == "-"
        self.name = "standard output" if self._standard else target
        if self._standard:
            if sys.stdout is None:
                raise OutputError("standard output is closed; open it or name a file with --jsonl")
            sys.stdout.flush()
            # Unbuffered, so that what did not fit is known. A stand-in for a terminal may have no such layer.
            self._file: Any = getattr(sys.stdout.buffer, "raw", sys.stdout.buffer)
            return
        try:
            self._file = Path(target).open("wb", buffering=0)  # noqa: SIM115  (open for as long as the output is)
        except OSError as error:
            raise OutputError(f"{target}: cannot be written ({error.strerror}); choose another --jsonl") from error

    def write(self, result: FrameResult) -> None:
        """Write a line.

        Raises:
            OutputError: it does not fit.
            BrokenPipeError: the reader of standard output has gone.
        """
        line = json.dumps(result.to_dict(), separators=(",", ":")).encode() + b"\n"
        try:
            self._write_whole(line)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(
                f"{self.name}: cannot be written ({error.strerror}); the lines before are whole"
            ) from error

    def _write_whole(self, line: bytes) -> None:
        written = 0
        try:
            while written < len(line):
                written += self._file.write(line[written:]) or 0
        except OSError:
            if written and self._file.seekable():
                os.ftruncate(self._file.fileno(), os.lseek(self._file.fileno(), 0, os.SEEK_CUR) - written)
            raise

    def close(self) -> None:
        """Close the file; standard output stays open."""
        if not self._standard:
            self._file.close()
