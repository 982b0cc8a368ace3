"""The networks of the face detector as int8 TFLite files."""

from __future__ import annotations

import json
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
from fer_edge.faces.networks import SHAPES, FaceNetwork
from fer_edge.files import check_writable, write_result
from fer_edge.machine import describe_machine
from fer_edge.model_file import ModelInfo, file_hash, read_info, write_info
from fer_edge.train.faces.mining import keras_network
from fer_edge.train.faces.pair import sample_pictures
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.progress import progress_bar

OPERATORS = frozenset({"CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "RESHAPE", "SPACE_TO_DEPTH"})
"""What the two networks may consist of; the mean over 2 x 2 pixels becomes a DEPTHWISE_CONV_2D."""


CALIBRATION_BATCHES = 8
"""Of training pictures: 256 frames for the proposer, 1,024 crops for the refiner."""


def convert_face_file(path: Path, data: Path, out: Path, report: Path, seed: int) -> dict[str, Any]:
    """Write one network of a run of ``fer-edge train --model face`` as int8, and a report beside it.

    Args:
        path: ``face-proposer.keras`` or ``face-refiner.keras``, in the folder of its run.
        data: the face data set, whose training images calibrate.
        out: the ``.tflite`` file.
        report: the JSON report.
        seed: of the calibration pictures.

    Returns:
        The report: the file's hash and size, what it consists of, and how far its values are from the float network's
        on other pictures, on average.

    Raises:
        ConversionError, DataError, ModelFileError: as in `fer_edge.convert.pipeline`.
        OutputError: a result cannot be written.
    """
    info = read_info(path)
    keras = load_keras()
    model = keras.saving.load_model(path, compile=False)
    check_writable(out, model.count_params())
    check_writable(report, 0)
    pictures = sample_pictures(info.name, data, path.parent, seed, CALIBRATION_BATCHES)
    contents = convert_face_network(model, info.name, pictures, info.training)
    with tempfile.TemporaryDirectory(prefix="fer-edge-") as folder:
        written = Path(folder) / f"{info.name}.tflite"
        written.write_bytes(contents)
        others = sample_pictures(info.name, data, path.parent, seed + 1, 2)
        expected, found = keras_network(model)(others), FaceNetwork(written, info.name)(others)
        result = {
            "model": str(path),
            "out": str(out),
            "sha256": file_hash(written),
            "file_bytes": len(contents),
            **read_info(written).conversion,
            "mean_difference": round(float(np.abs(expected - found).mean()), 5),
            "machine": describe_machine(),
        }
    write_result(out, contents)
    write_result(report, json.dumps(result, indent=1).encode() + b"\n")
    return result


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
