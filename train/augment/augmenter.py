"""Augmentation as Keras layers on any backend: pictures of B x S x S x channels with pixels 0..255.

All of it runs inside the training step. Each layer draws from its own seeded generator, whose state is
part of the checkpoint, so that a resumed run draws what an uninterrupted one would have.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.preprocess import with_channels
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.augment.camera import RandomBlur, RandomLight, RandomNoise, Sometimes
from fer_edge.train.augment.face import RandomGlasses, RandomSharpness, RandomShear, RandomVignette
from fer_edge.train.keras_setup import load_keras

keras = load_keras()
ops, random = keras.ops, keras.random

Targets = dict[str, Any]
"""Tensors by name, one row an image, as `fer_edge.train.loop.batches.Targets` describes them; all mix alike."""


GEOMETRY = ("rotation", "scale", "smaller", "shift")
"""Elements that one resampling does."""


def _geometry(options: Augmentation) -> dict[str, float]:
    return {name: getattr(options, name) for name in GEOMETRY}


class RandomAffine(keras.layers.Layer):  # type: ignore[misc, name-defined]
    """Mirror, rotation, zoom and shift in one resampling, bilinear, edges repeated."""

    def __init__(
        self, *, flip: bool, rotation: float, scale: float, shift: float, seed: int, smaller: float = 0.0
    ) -> None:
        super().__init__(dtype="float32")
        self.flip, self.rotation, self.shift = flip, math.radians(rotation), shift
        self.log_scale, self.log_smaller = math.log1p(scale), math.log1p(smaller)
        self.generator = random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        """Return the images, changed when training."""
        if not training:
            return images
        batch, size = ops.shape(images)[0], images.shape[1]

        def draw(limit: float, more: float = 0.0) -> Any:
            return random.uniform((batch,), -limit, limit + more, seed=self.generator)

        mirror = ops.where(draw(1.0) < (0.0 if self.flip else -1.0), -1.0, 1.0)
        if not (self.rotation or self.log_scale or self.log_smaller or self.shift):
            # All that is left to do to a copy that teachers have seen; resampling costs a third of a step on PyTorch.
            return ops.where(mirror[:, None, None, None] < 0, ops.flip(images, axis=2), images)
        # What lies apart by `zoom` in the input is one pixel apart in the output: above 1 the face is smaller.
        angle, zoom = draw(self.rotation), ops.exp(draw(self.log_scale, self.log_smaller))
        dx, dy = draw(self.shift * size), draw(self.shift * size)
        # The transform maps output to input coordinates about the centre: input = A (output - c) + c + shift.
        centre = (size - 1) / 2
        cos, sin = ops.cos(angle) * zoom, ops.sin(angle) * zoom
        a, b, c, d = mirror * cos, -sin, mirror * sin, cos
        zero = ops.zeros_like(a)
        matrix = ops.stack(
            [a, b, centre - a * centre - b * centre + dx, c, d, centre - c * centre - d * centre + dy, zero, zero],
            axis=1,
        )
        return ops.image.affine_transform(images, matrix, interpolation="bilinear", fill_mode="nearest")


class RandomContrast(keras.layers.Layer):  # type: ignore[misc, name-defined]
    """Contrast about the image's own mean, and brightness, each by up to `limit`; pixels stay in 0..255."""

    def __init__(self, *, limit: float, seed: int) -> None:
        super().__init__(dtype="float32")
        self.limit = limit
        self.generator = random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        """Return the images, changed when training."""
        if not training or not self.limit:
            return images
        shape = (ops.shape(images)[0], 1, 1, 1)
        factor = random.uniform(shape, 1 - self.limit, 1 + self.limit, seed=self.generator)
        offset = random.uniform(shape, -255 * self.limit / 2, 255 * self.limit / 2, seed=self.generator)
        mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        return ops.clip((images - mean) * factor + mean + offset, 0.0, 255.0)


class RandomErasing(Sometimes):
    """Replaces a rectangle of 2 to 20 % of the area, aspect 1/2 to 2, by noise."""

    def change(self, images: Any) -> Any:
        """Return the images with a rectangle erased."""
        area, aspect = self.draw(images, 0.02, 0.2), ops.exp(self.draw(images, -math.log(2), math.log(2)))
        height, width = ops.sqrt(area * aspect) / 2, ops.sqrt(area / aspect) / 2
        middle = (ops.arange(images.shape[1], dtype="float32") + 0.5) / images.shape[1]
        rows = ops.abs(middle[None, :, None, None] - self.draw(images, 0.0, 1.0)) < height
        columns = ops.abs(middle[None, None, :, None] - self.draw(images, 0.0, 1.0)) < width
        noise = random.uniform(ops.shape(images), 0.0, 255.0, seed=self.generator)
        return ops.where(ops.logical_and(rows, columns), noise, images)


class Mixup(keras.layers.Layer):  # type: ignore[misc, name-defined]
    """Mixes a share of the batches with themselves in reverse order; weights from Beta(0.4, 0.4)."""

    def __init__(self, *, share: float, seed: int) -> None:
        super().__init__(dtype="float32")
        self.share = share
        self.generator = random.SeedGenerator(seed)

    def call(self, images: Any, targets: Targets, training: bool = False) -> tuple[Any, Targets]:
        """Return images and targets, mixed when training."""
        if not training or not self.share:
            return images, targets
        weight = random.beta((1, 1), 0.4, 0.4, seed=self.generator)
        weight = ops.where(random.uniform((1, 1), seed=self.generator) < self.share, weight, 1.0)
        image_weight = ops.reshape(weight, (1, 1, 1, 1))
        images = image_weight * images + (1 - image_weight) * ops.flip(images, axis=0)
        return images, _mixed(targets, weight)


class CutMix(keras.layers.Layer):  # type: ignore[misc, name-defined]
    """Puts a rectangle of a share of the batches' images, in reverse order, over them; targets mix by area."""

    def __init__(self, *, share: float, seed: int) -> None:
        super().__init__(dtype="float32")
        self.share = share
        self.generator = random.SeedGenerator(seed)

    def call(self, images: Any, targets: Targets, training: bool = False) -> tuple[Any, Targets]:
        """Return images and targets, mixed when training."""
        if not training or not self.share:
            return images, targets

        def draw() -> Any:
            return random.uniform((1,), seed=self.generator)

        # Area from Beta(1, 1), the aspect of the image, the centre anywhere; section 3.1 of the paper.
        side = ops.where(draw() < self.share, ops.sqrt(draw()), 0.0)
        middle = (ops.arange(images.shape[1], dtype="float32") + 0.5) / images.shape[1]
        rows, columns = ops.abs(middle - draw()) < side / 2, ops.abs(middle - draw()) < side / 2
        inside = ops.logical_and(rows[:, None], columns[None, :])
        weight = 1 - ops.mean(ops.cast(inside, "float32"))
        mixed = ops.where(inside[None, :, :, None], ops.flip(images, axis=0), images)
        return mixed, _mixed(targets, weight)


def _mixed(targets: Targets, weight: Any) -> Targets:
    """Return the targets times `weight`, and those of the batch in reverse order times the rest."""
    return {name: weight * rows + (1 - weight) * ops.flip(rows, axis=0) for name, rows in targets.items()}


class AugmentedCopy:
    """One fixed draw of geometry (without mirroring) and contrast for a whole set of images: `number` of `seed`."""

    def __init__(self, options: Augmentation, seed: int, number: int) -> None:
        first, second = (int(s) for s in np.random.SeedSequence((seed, number)).generate_state(2) >> 1)
        self._affine = RandomAffine(flip=False, **_geometry(options), seed=first)
        self._contrast = RandomContrast(limit=options.contrast, seed=second)

    def apply(self, images: NDArray[np.uint8], batch: int = 256) -> NDArray[np.uint8]:
        """Return the copy of uint8 images N x S x S, computed `batch` at a time."""
        copy = np.empty_like(images)
        for start in range(0, len(images), batch):
            part = with_channels(images[start : start + batch]).astype(np.float32)
            moved = self._contrast(self._affine(part, training=True), training=True)
            pixels = np.rint(ops.convert_to_numpy(moved)).astype(np.uint8)
            copy[start : start + batch] = pixels.reshape(-1, *images.shape[1:])
        return copy


class Augmenter(keras.layers.Layer):  # type: ignore[misc, name-defined]
    """The whole chain for images and targets: face, geometry, contrast, mixup, cutmix, camera, erasing."""

    def __init__(self, options: Augmentation, seed: int) -> None:
        super().__init__(dtype="float32")
        self.affine = RandomAffine(flip=options.flip, **_geometry(options), seed=seed)
        self.contrast = RandomContrast(limit=options.contrast, seed=seed + 1)
        self.mixup = Mixup(share=options.mixup, seed=seed + 2)
        self.erasing = RandomErasing(share=options.erasing, seed=seed + 3)
        self.cutmix = CutMix(share=options.cutmix, seed=seed + 4)
        # Glasses turn and move with the face, so they are drawn before the geometry.
        self.face = [
            RandomGlasses(share=options.glasses, seed=seed + 8),
            RandomShear(share=options.shear, seed=seed + 9),
        ]
        self.camera = [
            RandomVignette(share=options.vignette, seed=seed + 10),
            RandomSharpness(share=options.sharpness, seed=seed + 11),
            RandomLight(share=options.light, seed=seed + 5),
            RandomBlur(share=options.blur, seed=seed + 6),
            RandomNoise(share=options.noise, seed=seed + 7),
        ]

    def call(self, images: Any, targets: Targets, training: bool = False) -> tuple[Any, Targets]:
        """Return images (B x S x S x channels) and targets (each B x columns), augmented when training."""
        for layer in self.face:
            images = layer(images, training=training)
        images = self.contrast(self.affine(images, training=training), training=training)
        images, targets = self.mixup(images, targets, training=training)
        images, targets = self.cutmix(images, targets, training=training)
        for layer in self.camera:
            images = layer(images, training=training)
        return self.erasing(images, training=training), targets
