"""The inside of a ``.keras`` model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ModelFileError
from fer_edge.model_file import ModelInfo
from fer_edge.preprocess import normalise_crop, with_channels
from fer_edge.train.explain.network import Filters, Layer, centred_log
from fer_edge.train.keras_model import load_model
from fer_edge.train.keras_setup import load_keras


class KerasNetwork:
    """A trained Keras model; a `fer_edge.train.explain.network.Network`."""

    def __init__(self, path: Path) -> None:
        """Open it; raises what `load_model` raises."""
        self.path = path
        self._classifier = load_model(path)
        self.model = self._classifier.model

    @property
    def info(self) -> ModelInfo:
        """Labels, input size and provenance."""
        return self._classifier.info

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in the order of the computation, without the inputs."""
        kinds = [(layer, type(layer).__name__) for layer in self.model.layers]
        return tuple(
            Layer(layer.name, kind, tuple(layer.output.shape[1:])) for layer, kind in kinds if kind != "InputLayer"
        )

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return class probabilities, N x classes, for uint8 images of N x size x size."""
        return self._classifier.predict(images)

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what the softmax is fed, N x classes, less its mean over the classes."""
        return centred_log(self.predict(images))

    def activations(self, image: NDArray[np.uint8], layers: Sequence[Layer]) -> list[NDArray[np.float32]]:
        """Return the outputs of `layers`, each of its `Layer.shape`, for one uint8 image of size x size."""
        keras = load_keras()
        inside = keras.Model(self.model.inputs, [self.model.get_layer(layer.name).output for layer in layers])
        image = normalise_crop(image, self.info.contrast)
        outputs = inside([with_channels(image[None]).astype(np.float32)], training=False)
        arrays = outputs if isinstance(outputs, list | tuple) else [outputs]
        return [np.asarray(keras.ops.convert_to_numpy(array)[0], np.float32) for array in arrays]

    def filters(self) -> Filters:
        """Return the kernels of the first convolution, averaged over channels, or of the first dense layer."""
        size = self.info.input_size
        for layer in self.model.layers:
            kernel = getattr(layer, "kernel", None)
            if kernel is None:
                continue
            if len(kernel.shape) == 4 and kernel.shape[2] == self.info.channels:  # height x width x channels x filters
                return Filters(layer.name, _array(kernel).mean(axis=2).transpose(2, 0, 1))
            if self.info.channels == 1 and len(kernel.shape) == 2 and kernel.shape[0] == size * size:
                return Filters(layer.name, _array(kernel).T.reshape(-1, size, size))
        raise ModelFileError(
            f"{self.path}: expected a first layer that convolves pixels or takes all of them, found neither; "
            "leave out --filters"
        )


def _array(variable: object) -> NDArray[np.float32]:
    return np.asarray(load_keras().ops.convert_to_numpy(variable), np.float32)
