"""How common a model takes each class to be, changed in its last layer: logit adjustment (Menon et al. 2021).

A model that learned from many happy faces and few disgusted ones says happy more readily. Its probabilities divided by
the classes' shares in training, to a power, and scaled to sum 1, are those of a world in which classes are more alike:
0 changes nothing, 1 takes all classes to be equally common (arXiv:2007.07314, section 4). It is a constant on each
logit, so the file has neither another size nor other operators.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ConversionError
from fer_edge.train.data.dataset import Split


def class_shares(training: Split, classes: int) -> NDArray[np.float64]:
    """Return the share of each class in the labels of a split, at least that of half an image."""
    counts = np.maximum(np.bincount(training.labels, minlength=classes), 0.5)
    shares: NDArray[np.float64] = counts / counts.sum()
    return shares


def adjust_logits(classifier: Any, shares: NDArray[np.float64], power: float, temperature: float = 1.0) -> None:
    """Divide the logits of `classifier`, a Keras model, by a temperature, then probabilities by powers of shares.

    Raises:
        ConversionError: it does not end with a dense layer, with biases, under the softmax.
    """
    last = next((layer for layer in reversed(classifier.layers) if layer.weights), None)
    if last is None or type(last).__name__ != "Dense" or last.bias is None:
        raise ConversionError(
            f"{classifier.name}: expected a dense layer with biases at the end, for --logit-adjustment; found another"
        )
    kernel, bias = last.get_weights()
    last.set_weights([kernel / temperature, (bias / temperature - power * np.log(shares)).astype(bias.dtype)])
