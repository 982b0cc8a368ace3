"""Training frames of the proposer: images scaled, tilted, cut to regions, covered and lit at random."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.faces.grid import FRAME_HEIGHT, FRAME_WIDTH
from fer_edge.train.faces.covers import cover
from fer_edge.train.faces.data.images import FaceSet, TrainingImage, warp
from fer_edge.train.faces.geometry import mapped, placing, tilt
from fer_edge.train.faces.light import Light

Region = tuple[int, int, int, int]
SMALLEST_PIXELS = 5.5
COVERED_SHARE = 0.3
MINED_SHARE = 0.5
"""Of the face-free regions, those around a mistake of the network in training, once some are known."""
VISIBLE_SHARE = 0.6
"""A face of which less lies in its region is doubtful."""
LARGEST_ENLARGEMENT = 2.5
BACKDROP_SHARE = 0.6
"""Of the regions, those where a face-free image lies behind; behind the others, the image's border goes on."""


@dataclasses.dataclass(frozen=True)
class Mistake:
    """A false face: index of the image, square (centre right and down, side) in its pixels."""

    image: int
    square: tuple[float, float, float]


class SceneMaker:
    """Draws frames of 160 x 120 with their faces."""

    def __init__(self, images: Sequence[TrainingImage], rng: np.random.Generator, face_free: float) -> None:
        """Sort images into those with and without faces.

        Args:
            images: all images of the training split.
            rng: where every choice comes from.
            face_free: share of the regions without a face, 0..1.
        """
        self._images, self._rng, self._face_free = images, rng, face_free
        self._with_faces = [i for i, image in enumerate(images) if image.faces.certain.any()]
        self._empty = [i for i, image in enumerate(images) if not len(image.faces)]
        self._light = Light(rng)
        self.mistakes: Sequence[Mistake] = ()

    def scene(self) -> tuple[NDArray[np.uint8], FaceSet]:
        """Return a frame (H x W) and its faces in pixels of it."""
        frame = np.empty((FRAME_HEIGHT, FRAME_WIDTH), np.uint8)
        regions = self._regions()
        parts = [self._fill(frame, region, len(regions) > 1) for region in regions]
        joined = FaceSet(
            np.concatenate([part.squares for part in parts]),
            np.concatenate([part.landmarks for part in parts]),
            np.concatenate([part.certain for part in parts]),
        )
        return self._light.apply(frame), joined

    def _regions(self) -> list[Region]:
        rng, width, height = self._rng, FRAME_WIDTH, FRAME_HEIGHT
        layout = rng.random()
        x, y = (int(rng.uniform(0.35, 0.65) * side) for side in (width, height))
        if layout < 0.6:
            return [(0, 0, width, height)]
        if layout < 0.8:
            return [(0, 0, x, height), (x, 0, width - x, height)]
        return [(0, 0, x, y), (x, 0, width - x, y), (0, y, x, height - y), (x, y, width - x, height - y)]

    def _fill(self, frame: NDArray[np.uint8], region: Region, shared: bool) -> FaceSet:
        left, top, width, height = region
        rng = self._rng
        target = (left + rng.uniform(0.04, 0.96) * width, top + rng.uniform(0.04, 0.96) * height)
        layer = self._backdrop(region)
        if rng.random() < self._face_free and (self._empty or self.mistakes):
            image, centre, scale, degrees = self._face_free_view(region)
        else:
            image, centre, scale, degrees = self._face_view(height, shared)
        matrix = placing(centre, target, scale, degrees, bool(rng.random() < 0.5))
        matrix[:, :2] *= np.exp(rng.normal(0, 0.05, 2))  # faces are wider or narrower
        matrix[:, 2] = target - matrix[:, :2] @ np.array(centre)
        warp(image, matrix, layer, cv2.BORDER_TRANSPARENT if rng.random() < 0.8 else cv2.BORDER_REPLICATE)
        faces = _within(mapped(image.faces, matrix), region)
        for square, points, certain in zip(faces.squares, faces.landmarks, faces.certain, strict=True):
            if certain and rng.random() < COVERED_SHARE:
                cover(layer, square, points, rng)
        frame[top : top + height, left : left + width] = layer[top : top + height, left : left + width]
        return faces

    def _backdrop(self, region: Region) -> NDArray[np.uint8]:
        """Return a frame for a region to be drawn on: an image without faces, or one brightness."""
        rng = self._rng
        layer = np.full((FRAME_HEIGHT, FRAME_WIDTH), rng.integers(256), np.uint8)
        if self._empty and rng.random() < BACKDROP_SHARE:
            image = self._images[self._empty[rng.integers(len(self._empty))]]
            height, width = image.luma.shape
            scale = max(region[2] / width, region[3] / height) * rng.uniform(1, 1.6)
            target = (region[0] + region[2] / 2, region[1] + region[3] / 2)
            matrix = placing((width / 2, height / 2), target, scale, 0, bool(rng.random() < 0.5))
            warp(image, matrix, layer, cv2.BORDER_REPLICATE)
        return layer

    def _face_view(self, height: int, shared: bool) -> tuple[TrainingImage, tuple[float, float], float, float]:
        rng = self._rng
        image = self._images[self._with_faces[rng.integers(len(self._with_faces))]]
        certain = np.flatnonzero(image.faces.certain)
        square = image.faces.squares[certain[rng.integers(len(certain))]]
        largest = 0.6 * height if shared else 1.15 * height
        side = math.exp(rng.uniform(math.log(SMALLEST_PIXELS), math.log(largest)))
        scale = min(side / float(square[2]), LARGEST_ENLARGEMENT)
        return image, (float(square[0]), float(square[1])), scale, tilt(rng)

    def _face_free_view(self, region: Region) -> tuple[TrainingImage, tuple[float, float], float, float]:
        rng = self._rng
        if self.mistakes and (not self._empty or rng.random() < MINED_SHARE):
            mistake = self.mistakes[int(rng.integers(len(self.mistakes)))]
            x, y, side = mistake.square
            wanted = math.exp(rng.uniform(math.log(max(SMALLEST_PIXELS, 0.06 * side)), math.log(0.7 * region[3])))
            scale = min(wanted / side, LARGEST_ENLARGEMENT)
            return self._images[mistake.image], (x, y), scale, float(rng.normal(0, 15))
        image = self._images[self._empty[rng.integers(len(self._empty))]]
        height, width = image.luma.shape
        least = 0.8 * max(region[2] / width, region[3] / height)
        scale = max(math.exp(rng.uniform(math.log(0.15), 0)), least)
        return image, (rng.uniform(0, width), rng.uniform(0, height)), scale, float(rng.normal(0, 15))


def _within(faces: FaceSet, region: Region) -> FaceSet:
    """Return the faces whose centre lies in a region; doubtful where the region cuts much off."""
    left, top, width, height = region
    low, high = np.array([left, top]), np.array([left + width, top + height])
    centres, sides = faces.squares[:, :2], faces.squares[:, 2:]
    inside = ((centres >= low) & (centres < high)).all(1)
    shown = np.clip(np.minimum(centres + sides / 2, high) - np.maximum(centres - sides / 2, low), 0, None)
    visible = (shown / np.maximum(sides, 1e-6)).prod(1)
    certain = faces.certain & (visible > VISIBLE_SHARE)
    return FaceSet(faces.squares[inside], faces.landmarks[inside], certain[inside])
