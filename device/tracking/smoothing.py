"""What a face shows over time: smoothed scores, and a label that does not flicker.

All constants are times, so that a face shows the same at 5 and at 60 frames per second.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

SMOOTHING_S = 0.5
"""Time constant of the scores' exponential smoothing, in seconds; chosen on clips, see docs/wild.md."""

LEAD_AT_ONCE = 0.15
"""Probability by which another expression must lead to become the label at once."""

LEAD_S = 1.0
"""Seconds for which another expression must lead, by however little, to become the label."""


@dataclasses.dataclass(frozen=True)
class Expression:
    """What a face shows.

    Attributes:
        scores: smoothed probabilities (classes,).
        label: index of the expression shown; another may lead for a moment.
        time: of the latest scores, in seconds.
        leader: index of the expression with the highest score.
        led: since when, in seconds.
    """

    scores: NDArray[np.float32]
    label: int
    time: float
    leader: int
    led: float


def smooth(old: NDArray[np.float32], new: NDArray[np.float32], elapsed: float) -> NDArray[np.float32]:
    """Return exponentially smoothed scores; the weight of `new` depends on the time since `old`, not on the rate."""
    weight = np.float32(1 - math.exp(-max(elapsed, 0.0) / SMOOTHING_S))
    return old + weight * (new - old)


def express(before: Expression | None, scores: NDArray[np.float32], time: float) -> Expression:
    """Return what a face shows after new scores.

    Args:
        before: what it showed in the frame before, None in its first.
        scores: probabilities (classes,) of the frame.
        time: of the frame, in seconds.
    """
    if before is None:
        best = int(scores.argmax())
        return Expression(scores, best, time, best, time)
    smoothed = smooth(before.scores, scores, time - before.time)
    leader = int(smoothed.argmax())
    led = before.led if leader == before.leader else time
    label = before.label
    if smoothed[leader] - smoothed[label] >= LEAD_AT_ONCE or time - led >= LEAD_S:
        label = leader
    return Expression(smoothed, label, time, leader, led)
