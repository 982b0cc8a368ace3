"""An LSTM written out step by step, in operators that all have int8 kernels.

Keras puts a loop around an LSTM, which static quantization cannot convert; TFLite's own LSTM operator keeps its cell
in int16 and between two calls. Written out (Hochreiter and Schmidhuber 1997; gates as in Keras: input, forget, cell,
output), every value is an int8 tensor. What all steps read of the input is computed at once, and the steps share
one recurrent kernel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_edge.convert.graph.graph import Node

GATES = {"input": "sigmoid", "forget": "sigmoid", "candidate": "tanh", "output": "sigmoid"}
"""In the order of Keras's kernels."""

LARGEST_CELL = 3.125
"""Beyond it the tanh of a cell, in steps of 1/128, stays at its first or last step.

A cell that has grown larger takes longer to forget it in float. Still, where cells reach 10, as those of ``cnn-lstm``
do, steps that are a third as wide save more than that costs.
"""

LARGEST_PART = 8.0
"""What is read of the input, or of the state, saturates its gate at that unless the other nearly cancels it."""


def lstm_nodes(
    name: str,
    source: str,
    shape: tuple[int, int],
    kernel: NDArray[np.float32],
    recurrent: NDArray[np.float32],
    bias: NDArray[np.float32],
) -> list[Node]:
    """Return the nodes of an LSTM, the last of which is its state after the last step.

    Args:
        name: of the layer; the nodes' names begin with it.
        source: the node it reads, B x steps x inputs.
        shape: steps and inputs.
        kernel: inputs x 4 units.
        recurrent: units x 4 units.
        bias: (4 units,).
    """
    steps, inputs = shape
    units = len(recurrent)
    width = len(GATES) * units
    nodes: list[Node] = []

    def add(part: str, kind: str, *reads: str, **options: object) -> str:
        nodes.append(Node(f"{name}.{part}", kind, reads, options))
        return nodes[-1].name

    # A 1x1 convolution over the steps: its kernel has a scale for each channel, a dense one has one for all.
    row = add("row", "reshape", source, shape=[1, steps, inputs])
    weights = {"kernel": kernel.reshape(1, 1, inputs, width), "bias": bias}
    nodes.append(
        Node(f"{name}.inputs", "conv", (row,), {"strides": [1, 1], "padding": "VALID", "limit": LARGEST_PART}, weights)
    )
    line = add("line", "reshape", nodes[-1].name, shape=[steps * width])
    state = cell = ""
    for step in range(steps):
        gates = add(f"{step}.x", "part", line, parts=steps, index=step)
        if step == 1:
            nodes.append(Node(f"{name}.recurrent", "dense", (state,), {"limit": LARGEST_PART}, {"kernel": recurrent}))
        elif step > 1:
            add(f"{step}.h", "dense", state, weights_of=f"{name}.recurrent", limit=LARGEST_PART)
        if step:
            gates = add(f"{step}.gates", "add", gates, nodes[-1].name)
        gate = {}
        for index, (label, kind) in enumerate(GATES.items()):
            if step or label != "forget":  # there is nothing to forget at first
                part = add(f"{step}.{label}.sum", "part", gates, parts=len(GATES), index=index)
                gate[label] = add(f"{step}.{label}", kind, part)
        new = add(f"{step}.new", "multiply", gate["input"], gate["candidate"])
        if step:
            kept = add(f"{step}.kept", "multiply", gate["forget"], cell, limit=LARGEST_CELL)
            new = add(f"{step}.cell", "add", kept, new, limit=LARGEST_CELL)
        cell = new
        state = add(f"{step}.state", "multiply", gate["output"], add(f"{step}.bounded", "tanh", cell))
    return nodes
