"""What cameras do to luma: exposure, contrast, darkness, noise, blur."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

NOISE_BANK = 1 << 20


class Light:
    """Random light and camera faults, for crops and whole frames alike."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Prepare noise: drawing it for every frame would cost more than all else."""
        self._rng = rng
        self._noise = np.clip(rng.normal(0, 24, NOISE_BANK), -127, 127).astype(np.int8)
        self._levels = np.arange(256, dtype=np.float32) / 255

    def apply(self, luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return H x W uint8 as another camera in another light would give it."""
        rng = self._rng
        if rng.random() < 0.3:
            luma = self._blur(luma)
        luma = np.asarray(cv2.LUT(luma, self._curve()), np.uint8)
        if rng.random() < 0.35:
            luma = self._noisy(luma, float(rng.uniform(1, 12)))
        return luma

    def _blur(self, luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self._rng.random() < 0.3:  # motion
            length = int(self._rng.integers(2, 5))
            size = (length, 1) if self._rng.random() < 0.7 else (1, length)
            return np.asarray(cv2.blur(luma, size), np.uint8)
        return np.asarray(cv2.GaussianBlur(luma, (0, 0), float(self._rng.uniform(0.3, 1.4))), np.uint8)

    def _curve(self) -> NDArray[np.uint8]:
        rng = self._rng
        curve = 255 * self._levels ** math.exp(rng.normal(0, 0.35))
        contrast = math.exp(rng.normal(0, 0.25))
        brightness = rng.normal(0, 22)
        if rng.random() < 0.12:  # a dark room: little light on little range
            contrast, brightness = rng.uniform(0.15, 0.5), rng.uniform(-95, -45)
        curve = (curve - 128) * contrast + 128 + brightness
        return np.clip(curve, 0, 255).astype(np.uint8)

    def _noisy(self, luma: NDArray[np.uint8], strength: float) -> NDArray[np.uint8]:
        start = int(self._rng.integers(NOISE_BANK - luma.size))
        noise = self._noise[start : start + luma.size].reshape(luma.shape)
        return np.clip(luma + noise * np.float32(strength / 24), 0, 255).astype(np.uint8)
