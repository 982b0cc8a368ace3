"""The model zoo: architecture names and what builds them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from fer_edge.train.zoo import plain


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
    "nano": Architecture("six plain 3x3 convolutions, the smallest", 48, functools.partial(plain.build, "nano")),
    "compact": Architecture("seven plain 3x3 convolutions, the default", 48, functools.partial(plain.build, "compact")),
    "large": Architecture("seven wide 3x3 convolutions, the most accurate", 48, functools.partial(plain.build, "large")),
}
"""Name -> architecture."""
