#!/usr/bin/env python3
"""Shapes of about ``nano``'s cost, compared by accuracy and by microseconds of int8 inference.

    benchmarks/accuracy/shapes.py fer2013.csv [--runs FOLDER] [--only NAME ...] [--epochs N] [--seeds 1 2]

Every shape is trained alike on a short schedule, holding out the same tenth of Training; PublicTest is not looked at.
Then all int8 files take turns on one thread of the TFLite runtime. Runs that are there are not repeated, killed ones go
on. Written to ``benchmarks/results/accuracy/shapes.json``; ``benchmarks/tables.py`` shows it.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
from latency import interpreter, measure

from fer_edge.convert.calibration import calibration_sample
from fer_edge.convert.cost import tflite_cost
from fer_edge.convert.export import export_calibrated
from fer_edge.convert.flatbuffer import read_tflite
from fer_edge.convert.fold import fold_batch_norms
from fer_edge.convert.from_keras import read_keras
from fer_edge.errors import FerEdgeError
from fer_edge.machine import describe_machine
from fer_edge.train.augment import Augmentation
from fer_edge.train.data.dataset import TRAINING
from fer_edge.train.data.load import load_dataset
from fer_edge.train.keras_setup import load_keras, load_model
from fer_edge.train.recipe import Recipe
from fer_edge.train.training import CARD, CHECKPOINT, HISTORY, MODEL, train_model
from fer_edge.train.zoo import registry

keras = load_keras()
RESULTS = Path(__file__).resolve().parents[1] / "results" / "accuracy" / "shapes.json"
NANO = ((8, 1), (12, 2), (24, 2), (24, 1), (48, 2), (48, 1))
EARLY = ((12, 2), (12, 1), (24, 2), (24, 1), (48, 2), (48, 1))


@dataclasses.dataclass(frozen=True)
class Shape:
    """A plain network with something changed.

    Attributes:
        stages: (channels, stride) of each convolution.
        first: side of the first kernel; the others have 3.
        activation: ``relu6`` or ``relu``.
        residual: adds what went into a convolution that keeps its shape.
        separable: a depthwise convolution and one of 1x1 in place of each but the first.
        average: global average pooling at the end; otherwise all of the last map goes into the dense layer.
    """

    stages: tuple[tuple[int, int], ...]
    first: int = 3
    activation: str = "relu6"
    residual: bool = False
    separable: bool = False
    average: bool = True


SHAPES = {
    "nano": Shape(NANO),
    "nano, ReLU": Shape(NANO, activation="relu"),
    "nano, no pooling at the end": Shape(NANO, average=False),
    "smaller at once": Shape(EARLY),
    "smaller at once, 5x5 first": Shape(EARLY, first=5),
    "smaller at once, residual": Shape(EARLY, residual=True),
    "wide and shallow": Shape(((8, 1), (16, 2), (32, 2), (72, 2))),
    "narrow and deep": Shape(((8, 1), (12, 2), (12, 1), (20, 2), (20, 1), (20, 1), (32, 2), (32, 1), (32, 1))),
    "narrow and deep, residual": Shape(
        ((8, 1), (12, 2), (12, 1), (20, 2), (20, 1), (20, 1), (32, 2), (32, 1), (32, 1)), residual=True
    ),
    "depthwise separable": Shape(((8, 1), (24, 2), (48, 2), (48, 1), (96, 2), (96, 1)), separable=True),
}


def build(shape: Shape, input_size: int, classes: int, dropout: float) -> Any:
    """Return a Keras model from float32 pixels 0..255 (size x size x 1) to class probabilities."""
    layers = keras.layers
    inputs = keras.Input((input_size, input_size, 1), name="image")

    def activated(x: Any) -> Any:
        return layers.ReLU(max_value=6.0 if shape.activation == "relu6" else None)(x)

    def convolved(x: Any, channels: int, size: int, stride: int) -> Any:
        options = {"padding": "same", "use_bias": False}
        if shape.separable and x.shape[-1] > 1:
            x = layers.DepthwiseConv2D(size, stride, depthwise_initializer="he_normal", **options)(x)
            x = activated(layers.BatchNormalization(momentum=0.95)(x))
            size, stride = 1, 1
        x = layers.Conv2D(channels, size, stride, kernel_initializer="he_normal", **options)(x)
        return layers.BatchNormalization(momentum=0.95)(x)

    x = layers.Rescaling(1 / 255)(inputs)
    for number, (channels, stride) in enumerate(shape.stages):
        before = x
        x = convolved(x, channels, 3 if number else shape.first, stride)
        if shape.residual and stride == 1 and before.shape[-1] == channels:
            x = layers.Add()([x, before])
        x = activated(x)
    x = layers.GlobalAveragePooling2D()(x) if shape.average else layers.Flatten()(x)
    x = layers.Dense(classes, name="logits", dtype="float32")(layers.Dropout(dropout)(x))
    return keras.Model(inputs, layers.Softmax(dtype="float32")(x), name="shape")


def main() -> None:
    """Train what is missing, time everything, and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--runs", type=Path, default=Path("runs/shapes"))
    parser.add_argument("--only", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    options = parser.parse_args()
    dataset = load_dataset(options.data)
    sample = calibration_sample(dataset.split(TRAINING), 1).images
    files, rows = dict[str, bytes](), dict[str, dict[str, Any]]()
    for name in options.only:
        registry.ZOO[name] = registry.Architecture(name, name, functools.partial(build, SHAPES[name]))
        accuracies = []
        for seed in options.seeds:
            recipe = Recipe(
                options.epochs,
                learning_rate=4e-3,
                dropout=0.0,
                seed=seed,
                augmentation=Augmentation(erasing=0.1, mixup=0.0),
            )
            out = options.runs / f"{name.replace(' ', '-').replace(',', '')}-{seed}"
            if not (out / CARD).exists() or "finished" not in json.loads((out / CARD).read_text()):
                train_model(dataset, name, recipe, out, resume=(out / CHECKPOINT).exists())
            history = list(csv.DictReader((out / HISTORY).open()))
            accuracies.append(float(history[-1]["holdout_accuracy"]))
        files[name] = export_calibrated(fold_batch_norms(read_keras(load_model(out / MODEL).model)), sample)
        contents = read_tflite(files[name])
        rows[name] = {
            "shape": dataclasses.asdict(SHAPES[name]),
            "epochs": len(history),
            "seeds": options.seeds,
            "holdout_accuracies": accuracies,
            "multiply_adds": tflite_cost(contents).multiply_adds,
            "bytes": len(files[name]),
            "operators": contents.operator_counts(),
        }
    times = measure({name: interpreter(content) for name, content in files.items()}, 400)
    for name, row in rows.items():
        row["us"] = float(np.median(times[name]))
        print(f"{name:30} {np.mean(row['holdout_accuracies']):.1%} {row['us']:6.1f} us {row['bytes'] / 1024:6.1f} KB")
    RESULTS.write_text(json.dumps({"machine": describe_machine(), "shapes": rows}, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except FerEdgeError as error:
        raise SystemExit(f"Error: {error}") from error
