"""A person's own neutral: what a face scores at rest, and scores told as the deviation from it.

Some faces look sad or angry at rest. `Baseline.observe` takes the mean of a face's first seconds; `Rest.weights` then
turn its probabilities into those of a face that rests as most do: what it shows at rest counts less, neutral more, and
nothing else changes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ConfigError

NEUTRAL_AT_REST = 0.6
"""Probability of neutral that a resting face is brought to; the other labels share what remains."""
FARTHEST = 8.0
"""Factor by which no probability is raised or lowered more."""
NOT_AT_REST = ("happy", "surprise")
"""Labels whose lead says that a face is not at rest: such a frame teaches nothing."""
LONGEST_STEP_S = 0.5
"""Between two frames; a longer gap counts as this."""


@dataclasses.dataclass(frozen=True)
class Rest:
    """What is known of a face at rest.

    Attributes:
        mean: probabilities (classes,) at rest so far.
        frames: number of frames in it.
        seconds: time that they cover.
        time: of the latest frame, in seconds.
        weights: factors (classes,) on its probabilities; None while they are learned.
    """

    mean: NDArray[np.float32]
    frames: int
    seconds: float
    time: float
    weights: NDArray[np.float32] | None = None


class Baseline:
    """Learns faces at rest."""

    def __init__(self, seconds: float, labels: Sequence[str]) -> None:
        """Set up.

        Args:
            seconds: of a face at rest that are enough.
            labels: of the scores.

        Raises:
            ConfigError: none of the labels is neutral.
        """
        if "neutral" not in labels:
            raise ConfigError(
                "baseline", f"`baseline`: expected a model that knows neutral, found {', '.join(labels)}; leave it out"
            )
        self._seconds = seconds
        self._neutral = list(labels).index("neutral")
        self._moved = {list(labels).index(label) for label in NOT_AT_REST if label in labels}

    def observe(self, rest: Rest | None, scores: NDArray[np.float32], time: float) -> Rest:
        """Return what is known after the scores (classes,) of a frame; what is learned stays."""
        if rest is None:
            rest = Rest(np.zeros_like(scores), 0, 0.0, time)
        if rest.weights is not None:
            return rest
        step = min(max(time - rest.time, 0.0), LONGEST_STEP_S)
        if int(scores.argmax()) in self._moved:
            return dataclasses.replace(rest, time=time)
        frames, seconds = rest.frames + 1, rest.seconds + step
        mean = rest.mean + (scores - rest.mean) / np.float32(frames)
        return Rest(mean, frames, seconds, time, self._weights(mean) if seconds >= self._seconds else None)

    def _weights(self, mean: NDArray[np.float32]) -> NDArray[np.float32]:
        share = (1 - NEUTRAL_AT_REST) / (len(mean) - 1)
        weights = np.minimum(share / np.maximum(mean, 1e-6), 1)
        weights[self._neutral] = max(NEUTRAL_AT_REST / max(float(mean[self._neutral]), 1e-6), 1.0)
        return np.clip(weights, 1 / FARTHEST, FARTHEST).astype(np.float32)


def deviation(scores: NDArray[np.float32], rest: Rest) -> NDArray[np.float32]:
    """Return probabilities (classes,) as deviation from rest; as they are while it is learned."""
    if rest.weights is None:
        return scores
    weighted = scores * rest.weights
    result: NDArray[np.float32] = weighted / max(float(weighted.sum()), 1e-9)
    return result
