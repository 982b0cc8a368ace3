"""Splits for data sets that come without: fixed, by digests, with whole groups on one side."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from fer_edge.train.data.dataset import PRIVATE_TEST, PUBLIC_TEST, TRAINING

SHARE = 0.1
"""Share of the groups that goes to PublicTest, and again to PrivateTest; the rest is Training."""


def divide(groups: NDArray[np.str_], seed: int = 0) -> NDArray[np.str_]:
    """Return a split's name for each image, the same for all images of a group.

    The groups with the lowest digests of seed and name become PublicTest, the next PrivateTest: at least one
    each where there are three groups. The choice depends on neither the order nor the number of images.

    Args:
        groups: (N,) what must stay together: a person, a photo, a picture's digest.
        seed: another one chooses others.
    """
    names = sorted(
        np.unique(groups).tolist(),
        key=lambda name: hashlib.sha256(f"{seed}:{name}".encode("utf-8", "surrogateescape")).digest(),
    )
    count = max(round(len(names) * SHARE), 1) if len(names) >= 3 else 0
    public, private = names[:count], names[count : 2 * count]
    return np.select([np.isin(groups, public), np.isin(groups, private)], [PUBLIC_TEST, PRIVATE_TEST], TRAINING)


def divide_by_class(hashes: NDArray[np.str_], labels: NDArray[np.int64]) -> NDArray[np.str_]:
    """Divide the pictures of each class; equal pictures stay together even under several labels.

    Args:
        hashes: (N,) digests of the pictures.
        labels: (N,).
    """
    splits = np.full(len(hashes), TRAINING, "U16")
    settled: set[str] = set()
    for label in np.unique(labels):
        own = (labels == label) & ~np.isin(hashes, list(settled))
        placed = dict(zip(hashes[own], divide(hashes[own]), strict=True))
        for i in np.flatnonzero(np.isin(hashes, list(placed))):
            splits[i] = placed[hashes[i]]
        settled |= placed.keys()
    return splits
