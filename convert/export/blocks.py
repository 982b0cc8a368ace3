"""A first convolution of every second pixel, computed on blocks of 2x2 pixels instead.

Kernels of the TFLite runtime take the channels of a pixel 2 to 64 at a time, depending on the processor, and fill up
with zeros: of a grey picture most of what they multiply is filling. With each block's four pixels as channels, a 3x3
kernel with a stride of 2 is one of 2x2 with a stride of 1, a row and a column of it zero: the same sums of the same
products, from four reads a position in place of nine. One of 3x4 is one of 2x3, from six reads in place of twelve, and
one of 6x6 with a stride of 4 is one of 4x4 with a stride of 2, from sixteen in place of thirty-six.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fer_edge.convert.graph.graph import Graph, Node
from fer_edge.convert.quantize.ranges import Range

BLOCK = 2


def on_blocks(graph: Graph, ranges: Mapping[str, Range]) -> tuple[Graph, dict[str, Range]]:
    """Return the graph, and its ranges, with such a convolution of the picture on blocks; others as they are."""
    source = graph.nodes[0]
    nodes: list[Node] = []
    known = dict(ranges)
    for node in graph.nodes:
        if not _fits(node, graph):
            nodes.append(node)
            continue
        blocks = Node(f"{node.name}.blocks", "space_to_depth", (source.name,), {"block": BLOCK})
        known[blocks.name] = ranges[source.name]
        weights = {**node.weights, "kernel": block_kernel(node.weights["kernel"])}
        options = {**node.options, "strides": [side // BLOCK for side in node.options["strides"]]}
        nodes += [blocks, dataclasses.replace(node, inputs=(blocks.name,), options=options, weights=weights)]
    return dataclasses.replace(graph, nodes=tuple(nodes)), known


def _fits(node: Node, graph: Graph) -> bool:
    # Of an even picture, 'same' pads three pixels by one row below or column to the right, half a block, and four by a
    # column on each side, half of a block each: what 'same' does to blocks. Of a picture whose sides are multiples of
    # four it pads six pixels, four apart, by one on each side as well.
    if node.kind != "conv" or node.inputs != (graph.nodes[0].name,):
        return False
    step = _step(node)
    return (
        step > 0
        and list(node.options["strides"]) == [step, step]
        and node.options["padding"] == "SAME"
        and all(side % step == 0 for side in graph.input_shape)
    )


def _step(node: Node) -> int:
    """Return the stride with which a kernel of this size can be computed on blocks, 0 for other sizes."""
    return {(3, 3, 1): 2, (3, 4, 1): 2, (6, 6, 1): 4}.get(node.weights["kernel"].shape[:3], 0)


def block_kernel(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a kernel of 3 x 3 x 1 x out as one for blocks, 2 x 2 x 4 x out; one of 3 x 4 as 2 x 3, 6 x 6 as 4 x 4."""
    height, width, _, out = kernel.shape
    # An even window begins with the second pixel of a block.
    padded = np.pad(kernel, (((height + 1) % 2, 1), ((width + 1) % 2, 1), (0, 0), (0, 0)))
    rows, columns = (side // BLOCK for side in padded.shape[:2])
    apart = padded.reshape(rows, BLOCK, columns, BLOCK, out)  # block row, row in it, block column, column in it
    return np.ascontiguousarray(apart.transpose(0, 2, 1, 3, 4).reshape(rows, columns, BLOCK * BLOCK, out))
