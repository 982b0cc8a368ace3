"""Other light on a photo: tints and dimness, made up in linear light.

A made-up light is no measurement of a camera, whose white balance and gain would answer it in part.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Light = Callable[[Picture, np.random.Generator], Picture]

SHOT, READ = 5e-4, 2e-3
"""Noise of a small sensor: variance per unit of signal, and standard deviation in the dark; white is 1."""


def _linear(picture: Picture) -> NDArray[np.float64]:
    """Undo the transfer function of sRGB (IEC 61966-2-1)."""
    value = picture / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _encoded(linear: NDArray[np.float64]) -> Picture:
    value = np.clip(linear, 0, 1)
    coded = np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)
    return np.rint(coded * 255).astype(np.uint8)


def tinted(red: float, green: float, blue: float) -> Light:
    """Return a light of that colour, by gains of linear light."""
    return lambda picture, rng: _encoded(_linear(picture) * np.array([blue, green, red]))


def dim(part: float) -> Light:
    """Return light of which only a part arrives, so that the sensor's noise shows."""

    def change(picture: Picture, rng: np.random.Generator) -> Picture:
        signal = _linear(picture) * part
        return _encoded(signal + rng.standard_normal(signal.shape) * np.sqrt(SHOT * signal + READ**2))

    return change


LIGHTS: dict[str, Light] = {
    "as taken": lambda picture, rng: picture,
    "bluish": tinted(0.75, 1.0, 1.35),
    "warm": tinted(1.25, 1.0, 0.6),
    "green": tinted(0.8, 1.15, 0.8),
    "a quarter": dim(1 / 4),
    "an eighth": dim(1 / 8),
}
"""Name -> how a photo would look in that light."""
