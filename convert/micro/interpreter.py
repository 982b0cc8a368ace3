"""TensorFlow Lite Micro, as its package for Python runs it: the kernels of a microcontroller without its speed."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ConversionError
from fer_edge.lazy import require

LARGEST_ARENA_BYTES = 16 * 2**20
"""Given to the interpreter, which says how much of it the network takes."""


class MicroInterpreter:
    """A network in TensorFlow Lite Micro. One thread at a time."""

    def __init__(self, flatbuffer: bytes, origin: str) -> None:
        """Open a network.

        Args:
            flatbuffer: an int8 TFLite file, without the zip behind it.
            origin: what errors call it.

        Raises:
            MissingExtraError: ``tflite-micro`` is not installed.
            ConversionError: TensorFlow Lite Micro refuses it.
        """
        runtime = require("tflite_micro", "micro").runtime
        with _stderr() as said:
            try:
                self._interpreter = runtime.Interpreter.from_bytes(flatbuffer, arena_size=LARGEST_ARENA_BYTES)
            except Exception as error:  # pybind11 hands on whatever the C++ side says
                reason = (_read(said).strip() or str(error)).splitlines()[0]
                raise ConversionError(f"{origin}: TensorFlow Lite Micro refuses the network ({reason})") from error

    def run(self, values: NDArray[np.int8]) -> NDArray[np.int8]:
        """Return the int8 output (values,) for the int8 input, without its batch."""
        self._interpreter.set_input(values[None], 0)
        self._interpreter.invoke()
        output: NDArray[np.int8] = self._interpreter.get_output(0)[0].copy()
        return output

    def arena_bytes(self) -> int:
        """Return the memory that the network takes beside its weights, after it ran once."""
        with _stderr() as said:
            self._interpreter.print_allocations()
            text = _read(said)
        found = re.search(r"Arena allocation total (\d+) bytes", text)
        if not found:
            raise ConversionError("TensorFlow Lite Micro did not say how much memory the network takes")
        return int(found[1])


@contextlib.contextmanager
def _stderr() -> Iterator[IO[bytes]]:
    """Collect what native code writes to standard error."""
    with tempfile.TemporaryFile() as file:
        kept = os.dup(2)
        try:
            os.dup2(file.fileno(), 2)
            yield file
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
