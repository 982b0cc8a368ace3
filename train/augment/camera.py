"""Augmentation by what a camera does to a face: too little or too much light, noise, blur.

FER2013's pictures were well lit when somebody put them on the web; a camera's are not. Layers for pictures of
B x S x S x 1 with pixels 0..255, on any backend, each with its own seeded generator.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fer_edge.train.keras_setup import load_keras

keras = load_keras()
ops, random = keras.ops, keras.random

DARKEST, BRIGHTEST = 0.2, 1.8
"""Factors of the light; beyond the upper one most of a face is clipped."""

NOISE_SIGMA = 20.0
"""Standard deviation of the strongest noise, in grey values."""

BLUR_SIGMA = 1.2
"""Of the Gaussian in pixels; pictures are mixed with their blurred copy in any proportion."""


class Sometimes(keras.layers.Layer):  # type: ignore[misc, name-defined]
    """Changes a share of the images when training."""

    def __init__(self, *, share: float, seed: int) -> None:
        super().__init__(dtype="float32")
        self.share = share
        self.generator = random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        """Return the images, a share of them changed when training."""
        if not training or not self.share:
            return images
        chosen = self.draw(images, 0.0, 1.0) < self.share
        return ops.where(chosen, ops.clip(self.change(images), 0.0, 255.0), images)

    def draw(self, images: Any, low: float, high: float) -> Any:
        """Return one number for each image, B x 1 x 1 x 1."""
        return random.uniform((ops.shape(images)[0], 1, 1, 1), low, high, seed=self.generator)

    def change(self, images: Any) -> Any:
        """Return the changed images."""
        raise NotImplementedError


def filtered(images: Any, kernel: Any) -> Any:
    """Return images, B x H x W x channels, with each channel convolved with `kernel`; what it reaches beyond is cut."""
    if images.shape[-1] == 1:
        return ops.conv(images, kernel[:, :, None, None], padding="valid")
    repeated = np.repeat(kernel[:, :, None, None], images.shape[-1], axis=2)
    return ops.depthwise_conv(images, repeated, padding="valid")


class RandomLight(Sometimes):
    """Multiplies by a factor from `DARKEST` to `BRIGHTEST`, even in the logarithm."""

    def change(self, images: Any) -> Any:
        """Return the images in another light."""
        return images * ops.exp(self.draw(images, math.log(DARKEST), math.log(BRIGHTEST)))


class RandomNoise(Sometimes):
    """Adds Gaussian noise of a standard deviation up to `NOISE_SIGMA`."""

    def change(self, images: Any) -> Any:
        """Return the images with noise."""
        noise = random.normal(ops.shape(images), seed=self.generator)
        return images + noise * self.draw(images, 0.0, NOISE_SIGMA)


class RandomBlur(Sometimes):
    """Mixes with a copy blurred by `BLUR_SIGMA`."""

    def change(self, images: Any) -> Any:
        """Return the images blurred."""
        offsets = np.arange(-2, 3)
        line = np.exp(-(offsets**2) / (2 * BLUR_SIGMA**2))
        kernel = np.outer(line, line) / line.sum() ** 2
        padded = ops.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
        blurred = filtered(padded, kernel.astype(np.float32))
        share = self.draw(images, 0.0, 1.0)
        return share * blurred + (1 - share) * images
