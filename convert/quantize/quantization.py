"""Quantization from end to end: ranges, corrected biases, fine-tuning, and the int8 files that come of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from fer_edge.convert.export.tflite import export_int8
from fer_edge.convert.graph.graph import Graph
from fer_edge.convert.quantize.bias_correction import correct_biases
from fer_edge.convert.quantize.calibration import calibrate, calibration_sample
from fer_edge.convert.quantize.qat import fine_tune, fine_tuning_recipe, steps_per_epoch
from fer_edge.convert.stopwatch import Stopwatch
from fer_edge.train.data.dataset import TRAINING, Split
from fer_edge.train.progress import progress_bar


@dataclasses.dataclass(frozen=True)
class Exported:
    """A converted network.

    Attributes:
        flatbuffer: of the TFLite file.
        calibration: split, number of images and seed of the calibration sample; empty for a float file.
        untuned: what the flatbuffer would be without fine-tuning; None where there was none.
    """

    flatbuffer: bytes
    calibration: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    untuned: bytes | None = None


def quantize(graph: Graph, training: Split, epochs: int, seed: int, stopwatch: Stopwatch) -> Exported:
    """Return a folded graph as an int8 file.

    Args:
        graph: the network.
        training: images as the graph sees them, with labels to draw a sample of each class by.
        epochs: of quantization-aware fine-tuning.
        seed: of the calibration sample and of fine-tuning.
        stopwatch: told how long each part takes.

    Raises:
        ConversionError: the converter failed.
    """
    sample = calibration_sample(training, seed)
    with stopwatch.stage("calibration"), progress_bar("calibrating", 2 * len(sample)) as advance:
        ranges = calibrate(graph, sample.images, advance)
        rounded = correct_biases(graph, ranges, sample.images)
    untuned = None
    if epochs:
        with stopwatch.stage("export without fine-tuning"):
            untuned = export_int8(rounded, ranges)
        recipe = fine_tuning_recipe(epochs, seed)
        steps = recipe.epochs * steps_per_epoch(len(training), recipe)
        with stopwatch.stage("fine-tuning"), progress_bar("fine-tuning", steps) as advance:
            rounded = fine_tune(graph, rounded, ranges, training.images, recipe, advance)
    with stopwatch.stage("export"):
        flatbuffer = export_int8(rounded, ranges)
    return Exported(flatbuffer, {"split": TRAINING, "images": len(sample), "seed": seed}, untuned)
