"""Calibrated confidence: temperature scaling, folded into the last layer.

C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural networks", ICML 2017
(arXiv:1706.04599), section 4.2: one number divides the logits, fitted on held-out images by their likelihood.
No prediction changes, only how sure it is.
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


@dataclasses.dataclass(frozen=True)
class Calibration:
    """What was found on the held-out images: shares in 0..1, and the temperature that was folded in.

    ``found`` is false where no temperature within `LIMITS` is the most likely, as when all images are right: the model
    is left as it was then.
    """

    temperature: float
    error_before: float
    error_after: float
    images: int
    found: bool = True


def calibrate(classifier: Any, scores: NDArray[np.float32], labels: NDArray[np.int64]) -> Calibration:
    """Fit the temperature to held-out images and fold it into `classifier`, a Keras model.

    Args:
        classifier: its last weights must belong to a dense layer under the softmax.
        scores: what it says about the held-out images, N x classes.
        labels: their classes.

    Raises:
        DataError: the model does not end so.
    """
    _last(classifier)  # before the search
    temperature = fit_temperature(scores, labels)
    found = all(abs(math.log(temperature / limit)) > PRECISION for limit in LIMITS)
    if not found:
        temperature = 1.0
    fold_temperature(classifier, temperature)
    return Calibration(
        temperature,
        expected_calibration_error(scores, labels),
        expected_calibration_error(at_temperature(scores, temperature), labels),
        len(labels),
        found,
    )


def fold_temperature(classifier: Any, temperature: float) -> None:
    """Divide the logits of `classifier`, a Keras model, by `temperature`, in the weights of its last layer.

    Raises:
        DataError: it does not end with a dense layer under the softmax.
    """
    head = _last(classifier)
    head.set_weights([weights / temperature for weights in head.get_weights()])


def _last(classifier: Any) -> Any:
    head = next((layer for layer in reversed(classifier.layers) if layer.weights), None)
    if type(head).__name__ != "Dense":
        raise DataError(f"{classifier.name}: expected a dense layer at the end, for calibration; found another")
    return head


def at_temperature(scores: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """Return the probabilities that a model would give with its logits divided by `temperature`."""
    logits = np.log(np.maximum(scores.astype(np.float64), 1e-12)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def fit_temperature(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the temperature of greatest likelihood, by golden-section search in its logarithm.

    The likelihood is concave in the inverse temperature, so it has one maximum within the limits.
    """

    def loss(log_temperature: float) -> float:
        said = at_temperature(scores, math.exp(log_temperature))[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(said, 1e-12)).mean())

    low, high = (math.log(limit) for limit in LIMITS)
    ratio = (math.sqrt(5) - 1) / 2
    while high - low > PRECISION:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)
