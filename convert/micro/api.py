"""``fer-edge micro`` for programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.convert.micro.export import check_micro, export_micro
from fer_edge.convert.micro.report import MicroReport
from fer_edge.faces.networks import SHAPES
from fer_edge.lazy import require
from fer_edge.model_file import check_tflite, read_info
from fer_edge.train.data.form import Form
from fer_edge.train.data.load import load_dataset


def make_micro(model: Path, folder: Path, data: str = "demo", split: str = "PublicTest") -> MicroReport:
    """Write the sources of an int8 file for a microcontroller.

    Args:
        model: a ``.tflite`` file of an expression model, or of a network of the face detector.
        folder: made if need be.
        data: as ``fer-edge evaluate`` takes it; its labels do not matter.
        split: of `data`.

    Returns:
        What was measured.

    Raises:
        ModelFileError: no such file, or one that does not say what it is.
        DataError: no such data.
        ConversionError, MissingExtraError, OutputError: see `fer_edge.convert.micro.export.export_micro`.
    """
    check_tflite(model)
    info = read_info(model)
    check_micro(folder)
    dataset = load_dataset(data, form=Form(info.input_size, info.channels, info.framing))
    images = dataset.split(split).images
    if info.name in SHAPES:
        images = _stretched(images, *SHAPES[info.name][0])
    return export_micro(model.read_bytes(), model, folder, images, f"{split} of {dataset.name}")


def _stretched(images: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Return faces as pictures of another shape: any will do to compare two runtimes."""
    cv2 = require("cv2", "train")
    return np.stack([cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA) for image in images])
