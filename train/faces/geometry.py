"""Maps that scale, tilt and mirror a face, and what they do to its landmarks."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fer_edge.train.faces.data.images import FaceSet

MIRRORED = (1, 0, 2, 4, 3)
"""Landmarks in a mirrored image: eyes and corners of the mouth change places."""


def placing(
    centre: tuple[float, float], target: tuple[float, float], scale: float, degrees: float, mirror: bool
) -> NDArray[np.float64]:
    """Return the 2 x 3 map that brings `centre` to `target`, scaled, tilted clockwise, mirrored before if asked."""
    sine, cosine = scale * math.sin(math.radians(degrees)), scale * math.cos(math.radians(degrees))
    flip = -1 if mirror else 1
    matrix = np.array([[cosine * flip, -sine], [sine * flip, cosine]])
    return np.column_stack([matrix, np.array(target) - matrix @ np.array(centre)])


def mapped(faces: FaceSet, matrix: NDArray[np.float64]) -> FaceSet:
    """Return faces under a 2 x 3 map."""
    linear, shift = matrix[:, :2], matrix[:, 2]
    determinant = float(np.linalg.det(linear))
    centres = faces.squares[:, :2] @ linear.T + shift
    sides = faces.squares[:, 2:] * math.sqrt(abs(determinant))
    landmarks = faces.landmarks @ linear.T + shift
    if determinant < 0:
        landmarks = landmarks[:, list(MIRRORED)]
    return FaceSet(np.hstack([centres, sides]).astype(np.float32), landmarks.astype(np.float32), faces.certain)


def tilt(rng: np.random.Generator) -> float:
    """Return an angle in degrees: upright heads are common, every tilt up to 100 degrees occurs."""
    if rng.random() < 0.4:
        return float(rng.normal(0, 10))
    return float(rng.uniform(-100, 100))
