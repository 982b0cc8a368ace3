"""Calibrated confidence: temperature scaling, folded into the last layer.

C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural networks", ICML 2017
(arXiv:1706.04599), section 4.2: one number divides the logits, fitted on held-out images. No prediction changes, only
how sure it is. There the likelihood is fitted; here the mean confidence, to the accuracy. On noisy labels that leaves
less calibration error (docs/training.md).
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.metrics import expected_calibration_error

LIMITS = (0.2, 5.0)
"""Within which the temperature is looked for; a trained network's lies near 1."""

PRECISION = 1e-3
"""Of the temperature, as a share of it."""

LEAST_IMAGES = 30
"""Held-out images that a temperature is found on: of fewer even the accuracy is known to 9 points at best."""


@dataclasses.dataclass(frozen=True)
class Calibration:
    """What was found on the held-out images: shares in 0..1, and the temperature that was folded in.

    ``found`` is false where no temperature within `LIMITS` makes the model as sure as right, as when all images are
    right, where that one has a greater calibration error than none, and where there are fewer than `LEAST_IMAGES`
    images: the model is left as it was then.
    """

    temperature: float
    error_before: float
    error_after: float
    images: int
    found: bool = True


def calibrate(classifier: Any, scores: NDArray[np.float32], labels: NDArray[np.int64], images: int) -> Calibration:
    """Fit the temperature to held-out images and fold it into `classifier`, a Keras model.

    Args:
        classifier: its last weights must belong to a dense layer under the softmax.
        scores: its probabilities for the held-out images, N x classes.
        labels: their classes.
        images: how many images these are, N or less: some may be augmented copies of one.

    Raises:
        DataError: the model does not end so.
    """
    temperature = fit_temperature(scores, labels)
    before = expected_calibration_error(scores, labels)
    after = expected_calibration_error(at_temperature(scores, temperature), labels)
    within = all(abs(math.log(temperature / limit)) > PRECISION for limit in LIMITS)
    found = within and after <= before and images >= LEAST_IMAGES
    if not found:
        temperature, after = 1.0, before
    fold_temperature(classifier, temperature)
    return Calibration(temperature, before, after, images, found)


def fold_temperature(classifier: Any, temperature: float) -> None:
    """Divide the logits of `classifier`, a Keras model, by `temperature`, in the weights of its last layer.

    Raises:
        DataError: it does not end with a dense layer under the softmax.
    """
    head = next((layer for layer in reversed(classifier.layers) if layer.weights), None)
    if type(head).__name__ != "Dense" or head is None:
        raise DataError(f"{classifier.name}: expected a dense layer at the end, for calibration; found another")
    head.set_weights([weights / temperature for weights in head.get_weights()])


def at_temperature(scores: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """Return the probabilities that a model would give with its logits divided by `temperature`."""
    logits = np.log(np.maximum(scores.astype(np.float64), 1e-12)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def fit_temperature(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the temperature at which the mean confidence is the accuracy, by bisection of its logarithm.

    The higher the temperature, the lower every confidence, so there is one at most. Where there is none within
    `LIMITS`, the limit that comes nearest.
    """
    accuracy = float((scores.argmax(axis=1) == labels).mean())
    low, high = (math.log(limit) for limit in LIMITS)
    while high - low > PRECISION:
        middle = (low + high) / 2
        if at_temperature(scores, math.exp(middle)).max(axis=1).mean() > accuracy:
            low = middle
        else:
            high = middle
    return math.exp((low + high) / 2)
