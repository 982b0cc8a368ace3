"""``python -m fer_edge.convert.export.child FOLDER``: one TFLite conversion; see `fer_edge.convert.export.exchange`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import tensorflow as tf

from fer_edge.convert.export.exchange import ANSWER, GRAPH, RANGES
from fer_edge.convert.graph.forward import Hooks, Unchanged, forward
from fer_edge.convert.graph.graph import Graph, load_graph
from fer_edge.convert.quantize.fake_quant import FakeQuantization
from fer_edge.convert.quantize.ranges import Range
from fer_edge.preprocess import hog_length


def convert(graph: Graph, hooks: Hooks) -> bytes:
    """Return the TFLite flatbuffer of a folded graph; int8 if its hooks round."""
    size, hog = graph.input_size, graph.hog
    weights = {node.name: node.weights for node in graph.nodes}

    # One image at a time: a batch of unknown size would become shape operators.
    signature = [tf.TensorSpec((1, *graph.input_shape, graph.channels), tf.float32)]
    if hog:
        signature.append(tf.TensorSpec((1, hog_length(size)), tf.float32))

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def classify(image: Any, features: Any = None) -> Any:
        return forward(graph, image, weights, hooks, features)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([classify.get_concrete_function()], classify)
    if not isinstance(hooks, Unchanged):
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def main(folder: Path) -> None:
    """Answer the request in `folder`."""
    hooks: Hooks = Unchanged()
    if (folder / RANGES).exists():
        ranges = json.loads((folder / RANGES).read_text())
        hooks = FakeQuantization({name: Range(*limits) for name, limits in ranges.items()})
    (folder / ANSWER).write_bytes(convert(load_graph(folder / GRAPH), hooks))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
