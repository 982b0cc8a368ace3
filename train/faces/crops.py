"""Training crops of the refiner: faces as a proposer would place them, and what is none."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.faces.crop import VALUES, encode
from fer_edge.faces.grid import CROP_CONTEXT, CROP_SIZE
from fer_edge.train.faces.covers import cover
from fer_edge.train.faces.data.images import FaceSet, TrainingImage, warp
from fer_edge.train.faces.geometry import MIRRORED, mapped, placing, tilt
from fer_edge.train.faces.light import Light
from fer_edge.train.faces.scenes import Mistake

LEAST_FACE_PIXELS = 7.0
"""Smaller faces show the refiner nothing to learn from."""
FACE_SHARE = 0.5
COVERED_SHARE = 0.35
CLOSE_SHARE = 0.5
"""Of the faces, those placed as the second look places them: nearly right."""
HARD_SHARE = 0.45
MINED_SHARE = 0.35
BESIDE_SHARE = 0.12
UNSEEN_BOX_WEIGHT = 0.3
"""Of a face without landmarks, whose square is another's style."""
TARGET_VALUES = VALUES + 2


class CropMaker:
    """Draws crops of 48 x 48 with what the refiner should say of them."""

    def __init__(self, images: Sequence[TrainingImage], rng: np.random.Generator) -> None:
        """Collect the faces that are certain and large enough, and images that have none.

        Args:
            images: all images of the training split.
            rng: where every choice comes from.
        """
        self._images, self._rng, self._light = images, rng, Light(rng)
        self._faces = [
            (index, face)
            for index, image in enumerate(images)
            for face in np.flatnonzero(image.faces.certain & (image.faces.squares[:, 2] >= LEAST_FACE_PIXELS))
        ]
        self._empty = [i for i, image in enumerate(images) if not len(image.faces)]
        self.mistakes: Sequence[Mistake] = ()
        self.hard: Sequence[Mistake] = ()

    def crop(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return a crop (48 x 48) and its target: score, 13 values, weights of square and landmarks."""
        return self._face() if self._rng.random() < FACE_SHARE else self._background()

    def _face(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        rng = self._rng
        index, face = self._faces[rng.integers(len(self._faces))]
        image = self._images[index]
        square = image.faces.squares[face]
        if rng.random() < CLOSE_SHARE:
            growth, shift, degrees = rng.normal(0, 0.08), rng.normal(0, 0.05, 2), rng.normal(0, 9)
        else:
            growth, shift, degrees = rng.uniform(-0.4, 0.4), rng.uniform(-0.28, 0.28, 2), tilt(rng)
        side = float(square[2]) * math.exp(growth)
        centre = (float(square[0] + shift[0] * side), float(square[1] + shift[1] * side))
        luma, matrix = self._draw(image, centre, side, float(degrees), stretch=True)
        one = FaceSet(square[None], image.faces.landmarks[[face]], image.faces.certain[[face]])
        placed = mapped(one, matrix)
        if rng.random() < COVERED_SHARE:
            cover(luma, placed.squares[0], placed.landmarks[0], rng)
        target = np.zeros(TARGET_VALUES, np.float32)
        seen = bool(np.isfinite(placed.landmarks).all())
        target[0] = 1
        target[1:VALUES] = np.nan_to_num(encode(placed.squares[0], placed.landmarks[0]))
        target[VALUES:] = (1, 1) if seen else (UNSEEN_BOX_WEIGHT, 0)
        return self._light.apply(luma), target

    def _background(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        rng = self._rng
        kind = rng.random()
        if self.hard and kind < HARD_SHARE:
            image, centre, side = self._at_mistake(self.hard)
        elif self.mistakes and kind < HARD_SHARE + MINED_SHARE:
            image, centre, side = self._at_mistake(self.mistakes)
        elif kind < HARD_SHARE + MINED_SHARE + BESIDE_SHARE or not self._empty:
            image, centre, side = self._beside_face()
        else:
            image = self._images[self._empty[rng.integers(len(self._empty))]]
            height, width = image.luma.shape
            side = math.exp(rng.uniform(math.log(10), math.log(0.8 * min(height, width))))
            centre = (rng.uniform(0, width), rng.uniform(0, height))
        luma, _ = self._draw(image, centre, side, tilt(rng), stretch=False)
        return self._light.apply(luma), np.zeros(TARGET_VALUES, np.float32)

    def _at_mistake(self, mistakes: Sequence[Mistake]) -> tuple[TrainingImage, tuple[float, float], float]:
        rng = self._rng
        mistake = mistakes[int(rng.integers(len(mistakes)))]
        x, y, side = mistake.square
        side *= math.exp(rng.normal(0, 0.12))
        right, down = rng.normal(0, 0.08, 2) * side
        return self._images[mistake.image], (x + right, y + down), side

    def _beside_face(self) -> tuple[TrainingImage, tuple[float, float], float]:
        """Return a square on a part of a face, around a whole head, or next to it."""
        rng = self._rng
        index, face = self._faces[rng.integers(len(self._faces))]
        image = self._images[index]
        x, y, face_side = (float(value) for value in image.faces.squares[face])
        growth = rng.uniform(-1.3, 1.2)
        side = max(face_side * math.exp(growth), 5.0)
        away = rng.uniform(0, 0.7) if abs(growth) > 0.8 else rng.uniform(0.8, 1.5)
        angle = rng.uniform(0, 2 * math.pi)
        reach = away * max(side, face_side)
        centre = (x + reach * math.cos(angle), y + reach * math.sin(angle))
        return image, centre, side

    def _draw(
        self, image: TrainingImage, centre: tuple[float, float], side: float, degrees: float, stretch: bool
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        rng = self._rng
        scale = CROP_SIZE / (CROP_CONTEXT * side)
        middle = CROP_SIZE / 2 - 0.5
        matrix = placing(centre, (middle, middle), scale, degrees, bool(rng.random() < 0.5))
        if stretch:
            matrix[:, :2] *= np.exp(rng.normal(0, 0.04, 2))
            matrix[:, 2] = middle - matrix[:, :2] @ np.array(centre)
        luma = np.empty((CROP_SIZE, CROP_SIZE), np.uint8)
        # Distant faces have few pixels: some crops are read from a smaller copy of the image.
        coarser = int(rng.integers(1, 3)) if rng.random() < 0.3 and side > 16 else 0
        warp(image, matrix, luma, cv2.BORDER_REPLICATE if rng.random() < 0.7 else cv2.BORDER_CONSTANT, coarser)
        return luma, matrix


def mirrored_crops(
    crops: NDArray[np.uint8], wanted: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return a batch as seen in a mirror.

    Args:
        crops: B x 48 x 48 x 1.
        wanted: B x 16, see `CropMaker.crop`.
    """
    result = wanted.copy()
    result[:, 1] *= -1
    landmarks = result[:, 4:VALUES].reshape(len(result), -1, 2)[:, list(MIRRORED)] * np.array([-1, 1], np.float32)
    result[:, 4:VALUES] = landmarks.reshape(len(result), -1)
    return np.ascontiguousarray(crops[:, :, ::-1]), result
