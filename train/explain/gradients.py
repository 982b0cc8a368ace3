"""Saliency by gradients of a Keras model on TensorFlow.

What is differentiated is the class's logit less the mean of all logits, not its probability, which can
also be raised by lowering other classes (Simonyan et al. 2014, arXiv:1312.6034, section 2).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.lazy import require
from fer_edge.preprocess import with_channels
from fer_edge.train.explain.alignment import cell_grids, onto_picture
from fer_edge.train.explain.network import TINY
from fer_edge.train.keras_setup import load_keras

COPIES, NOISE = 64, 0.05
"""SmoothGrad: noisy copies, and the noise's standard deviation as a share of the pixel range.

Smilkov et al. advise 0.1 to 0.2 for large photographs; in 48 x 48 pixels that drowns the face."""

Gradient = Callable[[NDArray[np.float32], NDArray[np.int64]], NDArray[np.float32]]
"""(float32 N x size x size pixels, (N,) classes) -> d logit / d pixel, N x size x size."""


@dataclasses.dataclass(frozen=True)
class ClassMap:
    """A Grad-CAM map.

    Attributes:
        layer: name of the layer whose channels were weighted.
        values: float32 size x size, on the pixels of the picture, not negative.
    """

    layer: str
    values: NDArray[np.float32]


def backend() -> str:
    """Return the Keras backend in use."""
    name: str = load_keras().config.backend()
    return name


def pixel_gradient(model: Any) -> Gradient:
    """Return a function that differentiates the logits of a Keras model by its pixels."""
    tf = require("tensorflow", "train")

    @tf.function(autograph=False, reduce_retracing=True)  # type: ignore[untyped-decorator]
    def differentiate(pixels: Any, classes: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            chosen = tf.gather(_logits(model(pixels, training=False)), classes, axis=1, batch_dims=1)
        return tape.gradient(chosen, pixels)

    def gradient(pixels: NDArray[np.float32], classes: NDArray[np.int64]) -> NDArray[np.float32]:
        value: NDArray[np.float32] = differentiate(tf.constant(with_channels(pixels)), tf.constant(classes)).numpy()
        return value.reshape(pixels.shape)

    return gradient


def smooth_gradient(model: Any, image: NDArray[np.uint8], target: int, seed: int = 0) -> NDArray[np.float32]:
    """Return SmoothGrad: the gradient's magnitude at each pixel, averaged over noisy copies of the picture.

    Smilkov et al. 2017, arXiv:1706.03825. A single gradient of a ReLU network is mostly noise.

    Args:
        model: a Keras model.
        image: uint8 size x size (x 3), its contrast as the model wants it.
        target: index of the class.
        seed: of the noise.

    Returns:
        float32 size x size, not negative.
    """
    noise = np.random.default_rng(seed).normal(0, 255 * NOISE, (COPIES, *image.shape))
    copies = (image + noise).astype(np.float32)
    magnitude: NDArray[np.float32] = np.abs(pixel_gradient(model)(copies, np.full(COPIES, target))).mean(axis=0)
    return magnitude if image.ndim == 2 else magnitude.mean(axis=2)


def grad_cam(model: Any, image: NDArray[np.uint8], target: int) -> ClassMap | None:
    """Return Grad-CAM of the last maps before they are pooled for the dense layers; None if there are no maps.

    Selvaraju et al. 2017, arXiv:1610.02391, equations 1 and 2: channels weighted by the class's mean
    gradient over the map, summed, the negative cut off.
    """
    tf = require("tensorflow", "train")
    keras = load_keras()
    spatial = [layer for layer in model.layers if len(layer.output.shape) == 4 and layer.output.shape[1] > 1]
    if not any("Conv" in type(layer).__name__ for layer in spatial):
        return None
    while "Pooling" in type(spatial[-1]).__name__ or "Dropout" in type(spatial[-1]).__name__:
        spatial.pop()  # coarser than what it pools, and no more than that is in it
    split = keras.Model(model.inputs, [spatial[-1].output, model.output])
    with tf.GradientTape() as tape:
        maps, probabilities = split([with_channels(image[None]).astype(np.float32)], training=False)
        chosen = _logits(probabilities)[:, target]
    weights = tf.reduce_mean(tape.gradient(chosen, maps), axis=(1, 2), keepdims=True)
    coarse = tf.nn.relu(tf.reduce_sum(tf.cast(weights * maps, tf.float32), axis=-1))[0].numpy()
    name = spatial[-1].name
    fine = onto_picture(coarse, cell_grids(model, name), len(image))
    return ClassMap(name, np.maximum(fine, 0))  # bicubic interpolation swings below zero


def _logits(probabilities: Any) -> Any:
    """As `centred_log`, for a TensorFlow tensor."""
    tf = require("tensorflow", "train")
    log = tf.math.log(tf.maximum(probabilities, TINY))
    return log - tf.reduce_mean(log, axis=1, keepdims=True)
