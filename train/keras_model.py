"""A trained ``.keras`` file, opened: it predicts, and says what it is."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ModelFileError
from fer_edge.model_file import LARGEST_FILE_BYTES, ModelInfo, read_info
from fer_edge.preprocess import normalise, with_channels
from fer_edge.train.keras_setup import load_keras

WEIGHTS = "model.weights.h5"
BATCH = 256  # images a forward pass; accuracy does not depend on it


class KerasModel:
    """A trained ``.keras`` model with the information it carries; a `fer_edge.runtime.Classifier`."""

    def __init__(self, model: Any, info: ModelInfo) -> None:
        self.model = model
        self.info = info

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return class probabilities, N x classes, for uint8 images of N x size x size, or x 3 in colour."""
        pixels = with_channels(normalise(images, self.info.contrast)).astype(np.float32)
        # `Model.predict` on TensorFlow sometimes takes twice as long: it waits for tf.data to end, see `EpochBatches`.
        batches = [self.model.predict_on_batch(pixels[i : i + BATCH]) for i in range(0, max(len(pixels), 1), BATCH)]
        scores: NDArray[np.float32] = np.concatenate(batches)
        return scores


def load_model(path: Path) -> KerasModel:
    """Open a file written by ``fer-edge train``.

    Raises:
        ModelFileError: not such a file.
    """
    if path.suffix == ".tflite":
        raise ModelFileError(f"{path}: expected a .keras file of fer-edge train, found a converted one; name that")
    info = read_info(path)
    keras = load_keras()
    from fer_edge.train.zoo.hog_layer import Hog  # a Keras layer, which only those who have Keras can import

    _check_weights(path)
    try:
        model = keras.saving.load_model(path, compile=False, custom_objects={"Hog": Hog})
    except Exception as error:  # a damaged file: whatever zipfile, zlib, HDF5 or Keras' own code stumbles over
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelFileError(f"{path}: Keras cannot load this model ({reason}); train it again") from error
    expected = (None, info.input_size, info.input_size, info.channels)
    if model.input_shape != expected or model.output_shape != (None, len(info.labels)):
        raise ModelFileError(
            f"{path}: expected input {expected} and {len(info.labels)} outputs, found {model.input_shape} and "
            f"{model.output_shape}; train it again"
        )
    return KerasModel(model, info)


def _check_weights(path: Path) -> None:
    """Raise ModelFileError where arrays of the file unpack to more than its weights can be."""
    import h5py

    largest = 0

    def measure(name: str, item: Any) -> None:
        nonlocal largest
        if isinstance(item, h5py.Dataset):
            largest = max(largest, item.nbytes)

    try:
        with zipfile.ZipFile(path) as archive, archive.open(WEIGHTS) as member, h5py.File(member, "r") as weights:
            weights.visititems(measure)
    except Exception:  # whatever is wrong with it, Keras says so
        return
    if largest > LARGEST_FILE_BYTES:
        raise ModelFileError(
            f"{path}: expected weights of up to {LARGEST_FILE_BYTES >> 20} MB, found {largest >> 20} MB in one array; "
            "train it again"
        )
