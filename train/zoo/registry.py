"""The model zoo: architecture names and what builds them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from fer_edge.train.zoo import compact


@dataclasses.dataclass(frozen=True)
class Architecture:
    """A model family of the zoo.

    Attributes:
        summary: one line for listings.
        input_size: side of the square grey input in pixels.
        build: (input size, classes, dropout rate) -> Keras model from pixels 0..255 to probabilities.
    """

    summary: str
    input_size: int
    build: Callable[[int, int, float], Any]


ZOO = {
    "compact": Architecture("seven plain 3x3 convolutions, the default", 48, compact.build),
}
"""Name -> architecture."""
