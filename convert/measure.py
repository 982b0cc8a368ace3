"""Measures the finished file against the float model it came from, on images that conversion did not use."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.convert.compare import Comparison, KernelComparison, compare_kernels, compare_scores
from fer_edge.convert.graph.graph import Graph
from fer_edge.convert.quantize.layer_errors import LayerError, layer_errors
from fer_edge.model_file import ModelInfo, file_hash, write_info
from fer_edge.preprocess import normalise
from fer_edge.runtime import Classifier, TFLiteModel
from fer_edge.train.data.dataset import Split
from fer_edge.train.progress import progress_bar

BATCH = 512

LAYER_IMAGES = 200
"""Images on which each layer is compared with the float network."""


@dataclasses.dataclass(frozen=True)
class Measured:
    """A finished file and what it was found to be.

    Attributes:
        data: the file, with what was measured inside.
        sha256: of `data`, in hexadecimal.
        comparison: against the float model.
        post_training: what the comparison would be without fine-tuning; None where there was none.
        plain_kernels: the file under XNNPACK and under the runtime's plain kernels; None for a float file.
        layers: see `layer_errors`; empty for a float file.
    """

    data: bytes
    sha256: str
    comparison: Comparison
    post_training: Comparison | None
    plain_kernels: KernelComparison | None
    layers: list[LayerError]


@dataclasses.dataclass(frozen=True)
class Yardstick:
    """What a file is measured with.

    Attributes:
        original: the float model.
        split_name: what the images are called.
        split: the images, with their labels.
    """

    original: Classifier
    split_name: str
    split: Split


def measure(
    flatbuffer: bytes, untuned: bytes | None, info: ModelInfo, yardstick: Yardstick, layers_of: Graph | None
) -> Measured:
    """Finish a file and measure it.

    Args:
        flatbuffer: the converted model.
        untuned: the same without fine-tuning, if there was any.
        info: what the file says of itself; its accuracy is added.
        yardstick: what to measure with.
        layers_of: the float graph to compare each layer with; None for a float file.
    """
    split = yardstick.split
    expected = _scores(yardstick.original, split, "the float model")

    def scores_of(path: Path, content: bytes) -> NDArray[np.float32]:
        path.write_bytes(content)
        write_info(path, info)
        return _scores(TFLiteModel(path, allow_float=True), split, path.stem)

    def compared(scores: NDArray[np.float32]) -> Comparison:
        return compare_scores(yardstick.split_name, expected, scores, split.labels)

    with tempfile.TemporaryDirectory(prefix="fer-edge-") as folder:
        path = Path(folder) / "the converted model.tflite"
        scores = scores_of(path, flatbuffer)
        comparison = compared(scores)
        post_training = compared(scores_of(Path(folder) / "not fine-tuned.tflite", untuned)) if untuned else None
        plain_kernels, layers = None, []
        if layers_of:
            plain = _scores(TFLiteModel(path, xnnpack=False), split, "it with plain kernels")
            plain_kernels = compare_kernels(scores, plain)
            some = split.images[np.linspace(0, len(split) - 1, min(len(split), LAYER_IMAGES)).astype(np.int64)]
            layers = layer_errors(path, layers_of, normalise(some, info.contrast))
        write_info(path, dataclasses.replace(info, accuracy=comparison.stored()))
        return Measured(path.read_bytes(), file_hash(path), comparison, post_training, plain_kernels, layers)


def _scores(classifier: Classifier, split: Split, name: str) -> NDArray[np.float32]:
    parts = []
    with progress_bar(f"evaluating {name}", len(split)) as advance:
        for start in range(0, len(split), BATCH):
            parts.append(classifier.predict(split.images[start : start + BATCH]))
            advance(len(parts[-1]))
    return np.concatenate(parts)
