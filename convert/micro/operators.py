"""How operators are registered with TensorFlow Lite Micro; what it lacks is refused by name."""

from __future__ import annotations

from collections.abc import Iterable

from fer_edge.errors import ConversionError

REGISTERED = {
    "ADD": "AddAdd",
    "AVERAGE_POOL_2D": "AddAveragePool2D",
    "CONCATENATION": "AddConcatenation",
    "CONV_2D": "AddConv2D",
    "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D",
    "FULLY_CONNECTED": "AddFullyConnected",
    "HARD_SWISH": "AddHardSwish",
    "LEAKY_RELU": "AddLeakyRelu",
    "LOGISTIC": "AddLogistic",
    "MAX_POOL_2D": "AddMaxPool2D",
    "MEAN": "AddMean",
    "MUL": "AddMul",
    "PAD": "AddPad",
    "RESHAPE": "AddReshape",
    "SOFTMAX": "AddSoftmax",
    "SPACE_TO_DEPTH": "AddSpaceToDepth",
    "SPLIT": "AddSplit",
    "STRIDED_SLICE": "AddStridedSlice",
    "TANH": "AddTanh",
}
"""TFLite operator -> the method of ``MicroMutableOpResolver``."""


def methods(operators: Iterable[str], origin: str) -> list[str]:
    """Return the methods that register `operators`.

    Raises:
        ConversionError: one that TensorFlow Lite Micro does not have, or that no file of ours holds.
    """
    missing = [name for name in operators if name not in REGISTERED]
    if missing:
        raise ConversionError(
            f"{origin}: expected operators that TensorFlow Lite Micro has ({', '.join(REGISTERED)}), found "
            f"{', '.join(missing)}"
        )
    return [REGISTERED[name] for name in operators]
