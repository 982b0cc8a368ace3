"""The networks of the face detector as int8 TFLite files."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.convert.export.cost import tflite_cost
from fer_edge.convert.export.flatbuffer import read_tflite
from fer_edge.convert.export.tflite import export_int8
from fer_edge.convert.export.verify import verify_int8_values
from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.quantize.bias_correction import correct_biases
from fer_edge.convert.quantize.calibration import calibrate
from fer_edge.faces.networks import SHAPES
from fer_edge.model_file import ModelInfo, write_info
from fer_edge.train.progress import progress_bar

OPERATORS = frozenset({"CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "RESHAPE", "SPACE_TO_DEPTH"})
"""What the two networks may consist of; the mean over 2 x 2 pixels becomes a DEPTHWISE_CONV_2D."""


def convert_face_network(
    model: Any, name: str, pictures: NDArray[np.uint8], training: Mapping[str, Any] | None = None
) -> bytes:
    """Return the contents of a ``.tflite`` file that `fer_edge.faces.networks.FaceNetwork` opens.

    Ranges and biases come from a calibration sample, as those of the expression models do; there is no fine-tuning.

    Args:
        model: a trained Keras model.
        name: ``face-proposer`` or ``face-refiner``.
        pictures: of the training data, N x rows x columns uint8, for the activation calibration.
        training: what the file says about its training.

    Raises:
        ConversionError: a layer without an int8 form, a crash of the converter, or a result that fails verification.
    """
    graph = fold_batch_norms(read_keras(model))
    with progress_bar("calibrating", 2 * len(pictures)) as advance:
        ranges = calibrate(graph, pictures, advance)
    flatbuffer = export_int8(correct_biases(graph, ranges, pictures), ranges)
    contents = read_tflite(flatbuffer)
    shape, values = SHAPES[name]
    verify_int8_values(contents, OPERATORS, shape, values)
    conversion = {
        "quantization": "int8 ptq",
        "calibration": {"images": len(pictures)},
        "operators": contents.operator_counts(),
        "multiply_adds": tflite_cost(contents).multiply_adds,
    }
    info = ModelInfo(name, ("face",), shape[0], training=training or {}, conversion=conversion)
    with tempfile.TemporaryDirectory(prefix="fer-edge-") as folder:
        path = Path(folder) / f"{name}.tflite"
        path.write_bytes(flatbuffer)
        write_info(path, info)
        return path.read_bytes()
