"""The operator allow-list: which TFLite operators each model of the zoo may consist of once it is int8.

None of the sets, not even that of the LSTMs, holds QUANTIZE, DEQUANTIZE, CAST or a shape operator: each of these means
that a part of the network is still float, that two scales do not fit, or that its batch size is unknown.
"""

from __future__ import annotations

INT8_OPERATORS = frozenset(
    {
        "ADD",
        "AVERAGE_POOL_2D",
        "CONCATENATION",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "FULLY_CONNECTED",
        "HARD_SWISH",
        "LEAKY_RELU",
        "LOGISTIC",
        "MAX_POOL_2D",
        "MEAN",
        "MUL",
        "PAD",
        "RESHAPE",
        "SOFTMAX",
        "SPACE_TO_DEPTH",
        "TANH",
    }
)
"""What the layers that conversion knows become; all have int8 kernels in every TFLite runtime."""

_PLAIN = frozenset({"SPACE_TO_DEPTH", "CONV_2D", "DEPTHWISE_CONV_2D", "RESHAPE", "MEAN", "FULLY_CONNECTED", "SOFTMAX"})
"""MEAN was the end of these networks once; models trained then still convert."""

_SQUEEZE_EXCITATION = _PLAIN | {"LOGISTIC", "MUL"}
"""MEAN, LOGISTIC and MUL are squeeze-and-excitation; models trained before there was any still convert."""

_MOBILENET = frozenset({"ADD", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MEAN", "SOFTMAX"})

_DENSE = frozenset({"RESHAPE", "FULLY_CONNECTED", "SOFTMAX"})
_CLASSICAL = _DENSE | {"CONV_2D", "MAX_POOL_2D"}

ALLOWED = {
    "nano": _SQUEEZE_EXCITATION,
    "compact": _SQUEEZE_EXCITATION,
    "large": _SQUEEZE_EXCITATION,
    "teacher": _SQUEEZE_EXCITATION,
    "deep-cnn": _CLASSICAL,
    # The LSTMs written out step by step: sums and products of gates.
    "cnn-lstm": _CLASSICAL | {"SPLIT", "ADD", "MUL", "LOGISTIC", "TANH"},
    "vgg": _CLASSICAL,
    "vgg-40": _CLASSICAL | {"STRIDED_SLICE"},
    "shallow-cnn": _CLASSICAL,
    "hog-cnn": _CLASSICAL | {"CONCATENATION"},
    "ffnn": _DENSE,
    "mobilenet-v2": _MOBILENET,
    # Hard-swish is an operator of its own; squeeze-and-excitation multiplies.
    "mobilenet-v3-small": _MOBILENET | {"HARD_SWISH", "MUL", "PAD"},
    "custom": _CLASSICAL | {"SPACE_TO_DEPTH"},
}
"""Name of the architecture -> its operators."""


def allowed_operators(architecture: str) -> frozenset[str]:
    """Return the operators that the int8 file of an architecture may hold."""
    return ALLOWED.get(architecture, INT8_OPERATORS)
