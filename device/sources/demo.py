"""A camera that every machine has: a portrait that moves, comes nearer and goes, in changing light.

The picture, ``portrait.jpg``, is the head of the astronaut Eileen Collins from NASA's official portrait
of 1999, which is in the public domain; NASA does not endorse this software. It came with scikit-image
0.26.0: the part [0:288, 96:352] of ``skimage.data.astronaut()``, stored as JPEG.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.frame import Converter, Frame
from fer_edge.device.opencv import cv2
from fer_edge.device.sources.base import Source
from fer_edge.device.sources.folder import read_photo

PORTRAIT = Path(__file__).parent.parent / "portrait.jpg"

NEAREST, FARTHEST = 0.9, 0.5
"""Height of the portrait in the picture, as a share of the picture's; the face takes a third of it."""


SEED = 4
"""A wall in which the cascade sees no faces of its own, as it does in every third heap of noise."""


class DemoSource(Source):
    """An endless film, the same on every machine and in every run."""

    def __init__(self, size: tuple[int, int] = (640, 480), *, live: bool = False, fps: float = 30.0) -> None:
        """Set up the scene.

        Args:
            size: width and height of the pictures.
            live: deliver `fps` pictures a second, as a camera does; otherwise as fast as they are read.
            fps: pictures per second of the film.
        """
        self.name = "demo"
        self.live = live
        self.fps: float = fps
        self._size = size
        self._portrait = read_photo(PORTRAIT)
        self._opacity = _vignette(*self._portrait.shape[:2])
        self._background = _background(*size)

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the film from its beginning."""
        converter, start, index = Converter(), time.monotonic(), 0
        while True:
            if self.live:
                time.sleep(max(start + index / self.fps - time.monotonic(), 0))
            picture = self.picture(index / self.fps)
            # A live source's time is that of arrival, also on a machine that draws fewer pictures than `fps`.
            seconds = time.monotonic() - start if self.live else index / self.fps
            yield converter.convert(picture, seconds, index)
            index += 1

    def picture(self, seconds: float) -> NDArray[np.uint8]:
        """Return the scene at a moment of the film, uint8 H x W x 3 in BGR order, newly allocated."""
        width, height = self._size
        # Periods without a common multiple, so that place, size and light meet in ever new combinations.
        nearness = 0.5 + 0.5 * math.sin(2 * math.pi * seconds / 13.0)
        scale = height * (FARTHEST + (NEAREST - FARTHEST) * nearness) / self._portrait.shape[0]
        across = 0.5 + 0.3 * math.sin(2 * math.pi * seconds / 7.0)
        down = 0.5 + 0.08 * math.sin(2 * math.pi * seconds / 5.0)
        light = 1.0 + 0.3 * math.sin(2 * math.pi * seconds / 11.0)
        place = np.array(
            [
                [scale, 0, across * width - scale * self._portrait.shape[1] / 2],
                [0, scale, down * height - scale * self._portrait.shape[0] / 2],
            ],
            np.float32,
        )
        person = cv2.warpAffine(self._portrait, place, self._size)
        opacity = cv2.warpAffine(self._opacity, place, self._size)
        scene = cv2.blendLinear(person, self._background, opacity, 1 - opacity)
        lit: NDArray[np.uint8] = cv2.convertScaleAbs(scene, alpha=light)
        return lit


def _vignette(height: int, width: int) -> NDArray[np.float32]:
    """Return an oval of ones that fades to zero at the edges, float32 height x width."""
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    oval: NDArray[np.float32] = np.clip(6 * (1 - np.hypot(x, y)), 0, 1).astype(np.float32)
    return oval


def _background(width: int, height: int) -> NDArray[np.uint8]:
    """Return a wall with coarse and fine structure, uint8 height x width x 3."""
    random = np.random.default_rng(SEED)
    wall = np.zeros((height, width), np.float32)
    for grain, contrast in ((8, 12), (40, 8), (200, 6)):
        noise = random.normal(0, contrast, (grain * 3 // 4, grain)).astype(np.float32)
        wall += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    coloured: NDArray[np.uint8] = np.clip(wall[:, :, None] + (150, 135, 115), 0, 255).astype(np.uint8)
    return coloured
