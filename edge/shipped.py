"""The models that come with the package, and how a name or a path finds one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fer_edge.errors import ModelFileError

if TYPE_CHECKING:
    from fer_edge.runtime import TFLiteModel

FOLDER = Path(__file__).parent / "models"
DEFAULT = "compact"
FACE_PREFIX = "face-"
"""Files of the face detector's networks begin with it; see `fer_edge.faces.networks`."""


def shipped_models() -> dict[str, Path]:
    """Return the names and files of the int8 models of expressions in the package."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.tflite")) if not path.stem.startswith(FACE_PREFIX)}


def find_model(model: str | os.PathLike[str]) -> Path:
    """Return the file of a shipped model, or the file that a path names.

    Raises:
        ModelFileError: it is neither.
    """
    if not isinstance(model, (str, os.PathLike)):
        raise ModelFileError(f"expected the name of a shipped model or a path, found {type(model).__name__}")
    shipped = shipped_models()
    if str(model) in shipped:
        return shipped[str(model)]
    path = Path(model)
    if not path.is_file():
        raise ModelFileError(f"'{path}' is neither a file nor a shipped model ({', '.join(shipped) or 'none'})")
    return path


def load_model(model: str | os.PathLike[str] = DEFAULT, *, threads: int = 1) -> TFLiteModel:
    """Open an int8 model for crops that are cut already; for whole images see `fer_edge.FaceReader`.

    Args:
        model: name of a shipped model (``nano``, ``compact``, ``large``, ``compact-ferplus``), or path of a ``.tflite``
            file that ``fer-edge convert`` wrote.
        threads: CPU threads of the interpreter, at least 1.

    Returns:
        The model. ``predict(crops)`` takes uint8 crops, N x size x size, and returns float32 probabilities, N x
        classes, whose columns are ``info.labels``; ``info.input_size`` is the size. One model serves one thread at a
        time.

    Raises:
        ModelFileError: no such model, or a file of another kind.
        ConfigError: `threads` is no whole number from 1.
        MissingExtraError: no TFLite runtime is installed.

    Example:
        >>> import numpy, fer_edge
        >>> model = fer_edge.load_model("compact")
        >>> crops = numpy.full((2, 48, 48), 128, numpy.uint8)
        >>> model.predict(crops).shape == (2, len(model.info.labels))
        True
    """
    from fer_edge.config import MAX_THREADS, check_count
    from fer_edge.runtime import TFLiteModel

    check_count("threads", threads, 1, MAX_THREADS)
    return TFLiteModel(find_model(model), threads=threads)
