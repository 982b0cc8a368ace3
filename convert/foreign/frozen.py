"""A network as TensorFlow operators with constant weights, whatever it was written in.

TensorFlow traces the network for one image, and freezes it. What does not depend on the image is computed here:
weights, and the shapes that a batch of unknown size leaves behind.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fer_edge.errors import ConversionError

PASSES = frozenset(
    {"Identity", "IdentityN", "StopGradient", "PreventGradient", "Snapshot", "EnsureShape", "CheckNumerics", "Cast"}
)
"""Operators whose outputs are their inputs."""


HARMLESS = frozenset({"Assert", "Placeholder"})
"""Operators that TensorFlow calls stateful and that reach nothing outside of the network."""

RESHAPES = frozenset({"ExpandDims", "Reshape", "Squeeze"})
"""Operators whose other inputs say a shape that is known already, though it may be computed from the image's."""


@dataclasses.dataclass(frozen=True)
class Operation:
    """One operator.

    Attributes:
        name: unique; the parts between ``/`` are the layers that it lies in.
        kind: TensorFlow's name for it.
        inputs: each the name of an operation, or a constant.
        shapes: of `inputs`, batch of 1 included.
        shape: of what it computes.
        attributes: TensorFlow's, those that are numbers or words.
    """

    name: str
    kind: str
    inputs: tuple[str | NDArray[Any], ...]
    shapes: tuple[tuple[int, ...], ...]
    shape: tuple[int, ...]
    attributes: Mapping[str, Any]

    @property
    def layer(self) -> str:
        """The layer that it lies in, by its name."""
        parts = [part for part in self.name.split("/") if not part.startswith(("StatefulPartitioned", "Partitioned"))]
        return "/".join(parts[1:-1]) or parts[-1]


def freeze(network: Callable[[Any], Any], shape: tuple[int, int, int]) -> list[Operation]:
    """Return the operators of a network in the order of evaluation; the first is the ``Placeholder``.

    Args:
        network: float32 1 x rows x columns x channels -> 1 x classes.
        shape: of the image.

    Raises:
        ConversionError: it cannot be traced, a value has no fixed shape, or an operator reaches outside of the network.
    """
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    traced = tf.function(network, autograph=False)
    try:
        concrete = traced.get_concrete_function(tf.TensorSpec((1, *shape), tf.float32))
        definition = convert_variables_to_constants_v2(concrete).graph.as_graph_def()
    except Exception as error:  # what the network's own code raises
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ConversionError(f"TensorFlow cannot trace the network for one image ({reason[:200]})") from error
    for node in definition.node:  # inlined calls make their constants wait for the image
        data = [name for name in node.input if not name.startswith("^")]
        del node.input[:]
        node.input.extend(data)
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(definition, name="")
    _refuse_effects(op for op in graph.get_operations() if "seed" not in op.node_def.attr)  # chance reaches nothing
    output = graph.get_operations()[-1]
    results = [op for op in graph.get_operations() if op.type == "Identity" and not op.outputs[0].consumers()]
    return _Reader(graph).read((results or [output])[-1].outputs[0])


class _Reader:
    """Walks from the output back to the image."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self._depends: dict[str, bool] = {}
        self._constants: dict[str, Any] = {}
        self._operations: dict[str, Operation] = {}

    def read(self, output: Any) -> list[Operation]:
        order = self._ordered(output.op)
        for op in order:
            self._depends[op.name] = op.type == "Placeholder" or any(self._depends[i.op.name] for i in _values(op))
        if not self._depends[output.op.name]:
            raise ConversionError("expected a network whose output depends on its image, found one that does not")
        needed = [
            tensor
            for op in order
            if self._depends[op.name]
            for tensor in _values(op)
            if not self._depends[tensor.op.name]
        ]
        if needed:
            _refuse_effects(_behind(needed))
            with tf.compat.v1.Session(graph=self._graph) as session:
                self._constants = dict(zip((t.name for t in needed), session.run(needed), strict=True))
        return [self._operation(op) for op in order if self._depends[op.name] and not self._passes(op)]

    def _ordered(self, last: Any) -> list[Any]:
        """Return an operator and all that it needs, those first."""
        order: dict[str, Any] = {}
        pending = [(last, False)]
        while pending:
            op, visited = pending.pop()
            if op.name in order:
                continue
            if visited:
                order[op.name] = op
            else:
                pending.append((op, True))
                pending += [(tensor.op, False) for tensor in reversed(_values(op))]
        return list(order.values())

    def _passes(self, op: Any) -> bool:
        return op.type in PASSES and all(tensor.dtype == tf.float32 for tensor in op.outputs[:1])

    def _origin(self, tensor: Any) -> Any:
        """Return the tensor whose value `tensor` passes on."""
        while self._depends[tensor.op.name] and self._passes(tensor.op):
            tensor = tensor.op.inputs[tensor.value_index]
        return tensor

    def _operation(self, op: Any) -> Operation:
        inputs: list[str | NDArray[Any]] = []
        for tensor in _values(op):
            found = self._origin(tensor)
            if not self._depends[found.op.name]:
                inputs.append(
                    np.asarray(self._constants[tensor.name if tensor.name in self._constants else found.name])
                )
            else:
                inputs.append(found.op.name)
        attributes = {key: op.get_attr(key) for key in op.node_def.attr if not key.startswith("_")}
        plain = {key: value for key, value in attributes.items() if isinstance(value, (bool, int, float, bytes, list))}
        shapes = tuple(_shape(tensor) for tensor in _values(op))
        return Operation(op.name, op.type, tuple(inputs), shapes, _shape(op.outputs[0]), plain)


def _behind(tensors: Iterable[Any]) -> list[Any]:
    """Return all operators that run when `tensors` are computed."""
    found: dict[str, Any] = {}
    pending = [tensor.op for tensor in tensors]
    while pending:
        op = pending.pop()
        if op.name not in found:
            found[op.name] = op
            pending += [*(tensor.op for tensor in op.inputs), *op.control_inputs]
    return list(found.values())


def _refuse_effects(operators: Iterable[Any]) -> None:
    """Refuse operators that could read, write or call something: weights are constants by now, so no other is left."""
    for op in operators:
        of_text = any(tensor.dtype == tf.string for tensor in (*op.inputs, *op.outputs)) and op.type != "Const"
        if (op.op_def.is_stateful or of_text) and op.type not in HARMLESS:
            raise ConversionError(
                f"'{op.name}': expected operators that compute with numbers alone, found {op.type}, which may read or "
                "write files or keep a state; export the network without it"
            )


def _values(op: Any) -> list[Any]:
    """Return the tensors that an operator computes with."""
    return list(op.inputs)[: 1 if op.type in RESHAPES else None]


def _shape(tensor: Any) -> tuple[int, ...]:
    if tensor.shape.rank is None or None in tensor.shape.as_list():
        return (-1,)
    return tuple(tensor.shape.as_list())
