"""Which TFLite operators each model of the zoo may consist of once it is int8.

None of the sets holds QUANTIZE, DEQUANTIZE, CAST or a shape operator: each of these means that a part of
the network is still float, or that its batch size is unknown.
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
        "MAX_POOL_2D",
        "MEAN",
        "RESHAPE",
        "SOFTMAX",
    }
)
"""What the layers that conversion knows become; all have int8 kernels in every TFLite runtime."""

_PLAIN = frozenset({"CONV_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX"})

RECIPES = {"nano": _PLAIN, "compact": _PLAIN, "large": _PLAIN}
"""Name of the architecture -> its operators."""


def allowed_operators(architecture: str) -> frozenset[str]:
    """Return the operators that the int8 file of an architecture may hold."""
    return RECIPES.get(architecture, INT8_OPERATORS)
