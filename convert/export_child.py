"""``python -m fer_edge.convert.export_child FOLDER``: one TFLite conversion, for `fer_edge.convert.export`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fer_edge.convert.export import ANSWER, CALIBRATION, GRAPH, RANGES
from fer_edge.convert.fake_quant import FakeQuantization
from fer_edge.convert.forward import Hooks, Unchanged, forward
from fer_edge.convert.graph import Graph, load_graph
from fer_edge.convert.ranges import Range
from fer_edge.hog import HogExtractor, hog_length


def convert(graph: Graph, hooks: Hooks, calibration: NDArray[np.uint8] | None) -> bytes:
    """Return the TFLite flatbuffer of a folded graph; int8 if its hooks round or there are calibration images."""
    size, hog = graph.input_size, graph.hog
    weights = {node.name: node.weights for node in graph.nodes}

    # One image at a time: a batch of unknown size would become shape operators.
    signature = [tf.TensorSpec((1, size, size, 1), tf.float32)]
    if hog:
        signature.append(tf.TensorSpec((1, hog_length(size)), tf.float32))

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def classify(image: Any, features: Any = None) -> Any:
        return forward(graph, image, weights, hooks, features)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([classify.get_concrete_function()], classify)
    if calibration is not None or not isinstance(hooks, Unchanged):
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    if calibration is not None:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: representative(calibration, hog.options["gain"] if hog else 0.0)
        # As with fake quantization, and for tflite_runtime, which knows one scale for a dense kernel only.
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    return bytes(converter.convert())


def representative(images: NDArray[np.uint8], hog_gain: float) -> Iterator[list[NDArray[np.float32]]]:
    """Yield the images one by one as float32 1 x size x size x 1 in [0, 1], and with a gain their HOG features.

    Two corner pixels of the first are set to 0 and 255, so that the input's scale comes out as 1/255
    whatever the images are.
    """
    images = images.copy()
    images[0, 0, 0], images[0, 0, -1] = 0, 255
    extractor = HogExtractor(images.shape[1]) if hog_gain else None
    for image in images:
        inputs = [image[None, :, :, None].astype(np.float32) / np.float32(255)]
        if extractor:
            inputs.append(extractor.features(image)[None] * np.float32(hog_gain))
        yield inputs


def main(folder: Path) -> None:
    """Answer the request in `folder`."""
    hooks: Hooks = Unchanged()
    if (folder / RANGES).exists():
        ranges = json.loads((folder / RANGES).read_text())
        hooks = FakeQuantization({name: Range(*limits) for name, limits in ranges.items()})
    calibration = np.load(folder / CALIBRATION) if (folder / CALIBRATION).exists() else None
    (folder / ANSWER).write_bytes(convert(load_graph(folder / GRAPH), hooks, calibration))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
