"""What a TFLite file holds, read from the file itself.

An interpreter would show the graph after its delegates have replaced parts of it; the flatbuffer is
what every runtime starts from.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

from fer_edge.errors import ConversionError
from fer_edge.lazy import require


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A tensor of the file.

    Attributes:
        name: as the converter chose it.
        dtype: the schema's name, such as ``INT8``.
        shape: sizes of its axes.
        scales: none for a tensor that is not quantized, one for the whole, or one a channel.
        zero_points: as many as `scales`.
        axis: the axis of the channels that `scales` belong to.
        constant: whether the file stores its value.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int
    constant: bool


@dataclasses.dataclass(frozen=True)
class Operator:
    """An operator: its name in the schema, such as ``CONV_2D``, and the tensors it reads and writes."""

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclasses.dataclass(frozen=True)
class TFLiteGraph:
    """The only subgraph of a file."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    def operator_counts(self) -> dict[str, int]:
        """Return how often each operator occurs, in the order of first use."""
        return dict(Counter(operator.name for operator in self.operators))


def read_tflite(data: bytes) -> TFLiteGraph:
    """Return the contents of a TFLite flatbuffer; a zip behind it does not matter.

    Raises:
        ConversionError: more than one subgraph: control flow, which no classifier here has.
    """
    schema = require("ai_edge_litert.schema_py_generated", "train")
    operator_names = _names(schema.BuiltinOperator)
    dtype_names = _names(schema.TensorType)
    model = schema.ModelT.InitFromPackedBuf(data)
    if len(model.subgraphs) != 1:
        raise ConversionError(f"expected a TFLite file of one subgraph, found {len(model.subgraphs)}")
    graph = model.subgraphs[0]
    tensors = tuple(_tensor(t, dtype_names, model.buffers[t.buffer].data is not None) for t in graph.tensors)

    def pick(indices: Any) -> tuple[Tensor, ...]:
        return tuple(tensors[i] for i in indices if i >= 0)  # -1 stands for an optional input that is not there

    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    operators = tuple(
        Operator(operator_names[codes[o.opcodeIndex]], pick(o.inputs), pick(o.outputs)) for o in graph.operators
    )
    return TFLiteGraph(tensors, operators, pick(graph.inputs), pick(graph.outputs))


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


def _tensor(tensor: Any, dtype_names: dict[int, str], constant: bool) -> Tensor:
    quantization = tensor.quantization
    scales = () if quantization is None or quantization.scale is None else tuple(map(float, quantization.scale))
    return Tensor(
        tensor.name.decode(),
        dtype_names[tensor.type],
        () if tensor.shape is None else tuple(map(int, tensor.shape)),
        scales,
        tuple(map(int, quantization.zeroPoint)) if scales else (),
        int(quantization.quantizedDimension) if scales else 0,
        constant,
    )
