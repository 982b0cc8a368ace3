#!/usr/bin/env python3
"""Shapes of about ``nano``'s cost, compared by accuracy and by microseconds of int8 inference.

    benchmarks/accuracy/shapes.py fer2013.csv fer2013new.csv [--runs FOLDER] [--only NAME ...] [--epochs N] [--seeds N]

Every shape is trained alike on a short schedule, holding out the same quarter of Training (6,802 images; a tenth would
tell less of such small differences); PublicTest is not looked at. Then all int8 files take turns on one thread of the
TFLite runtime. Runs of as many epochs that are there, of whatever seed, count and are not repeated; killed ones go on.
Written to ``benchmarks/results/accuracy/shapes.json``; ``benchmarks/tables.py`` shows it. With --only the other shapes
stay in it as they are, timed in turns of their own, if they have as many epochs and come from this machine; else
nothing is done.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import functools
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from latency import interpreter, measure

from fer_edge.convert.export.cost import tflite_cost
from fer_edge.convert.export.flatbuffer import read_tflite
from fer_edge.convert.export.tflite import export_int8
from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.quantize.calibration import calibrate, calibration_sample
from fer_edge.errors import FerEdgeError, MeasurementError
from fer_edge.files import write_atomically
from fer_edge.machine import describe_machine
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.data.dataset import TRAINING
from fer_edge.train.data.load import load_dataset
from fer_edge.train.keras_model import load_model
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop.run_folder import CHECKPOINT, HISTORY, METADATA, MODEL
from fer_edge.train.loop.training import train_model
from fer_edge.train.recipe import Recipe
from fer_edge.train.zoo import plain, registry

keras = load_keras()
RESULTS = Path(__file__).resolve().parents[1] / "results" / "accuracy" / "shapes.json"
HELD_OUT = 0.25
NANO = plain.STAGES["nano"]
FULL_SIZE = ((8, 1), (12, 2), (24, 2), (24, 1), (48, 2), (48, 1))
SHALLOW = ((20, 2), (48, 2), (80, 2))
DEEP = ((10, 2), (10, 1), (18, 2), (18, 1), (18, 1), (32, 2), (32, 1), (32, 1), (32, 1))
SEPARABLE = ((16, 2), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1))


@dataclasses.dataclass(frozen=True)
class Shape:
    """A plain network with something changed.

    Attributes:
        stages: (channels, stride) of each convolution.
        end: what the last maps of 6x6 become: their means over squares of so many pixels a side (6 for one number a
            map), or ``weights``, a sum with a weight for each place and map (Chen et al. 2018, arXiv:1804.07573,
            section 3.1).
        first: side of the first kernel; the others have 3.
        activation: ``relu6`` or ``relu``.
        residual: adds what went into a convolution that keeps its shape.
        separable: a depthwise convolution and one of 1x1 in place of each but the first.
        excite: numbers of the convolutions whose maps are weighed, as `fer_edge.train.zoo.plain` does.
    """

    stages: tuple[tuple[int, int], ...] = NANO
    end: int | str = 2
    first: int = 3
    activation: str = "relu6"
    residual: bool = False
    separable: bool = False
    excite: tuple[int, ...] = ()


SHAPES = {
    "nano": Shape(excite=plain.EXCITED["nano"]),
    "maps not weighed": Shape(),
    "full size first": Shape(FULL_SIZE),
    "one number a map": Shape(end=6),
    "2x2 a map": Shape(end=3),
    "6x6 a map": Shape(end=1),
    "a weight for each place": Shape(end="weights"),
    "5x5 first": Shape(first=5),
    "ReLU": Shape(activation="relu"),
    "residual": Shape(residual=True),
    "wide and shallow": Shape(SHALLOW),
    "narrow and deep": Shape(DEEP),
    "narrow and deep, residual": Shape(DEEP, residual=True),
    "depthwise separable": Shape(SEPARABLE, separable=True),
    "last maps weighed": Shape(excite=(6,)),
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
        if number + 1 in shape.excite:
            x = plain.excited(x, number + 1)
    side = x.shape[1]
    if shape.end == "weights":
        even = keras.initializers.Constant(1 / side**2)
        x = layers.DepthwiseConv2D(side, use_bias=False, depthwise_initializer=even)(x)
        x = layers.BatchNormalization(momentum=0.95)(x)
    elif shape.end == side:
        x = layers.GlobalAveragePooling2D()(x)
    elif shape.end > 1:
        x = layers.AveragePooling2D(shape.end)(x)
    x = layers.Flatten()(x) if len(x.shape) > 2 else x
    x = layers.Dense(classes, name="logits", dtype="float32")(layers.Dropout(dropout)(x))
    return keras.Model(inputs, layers.Softmax(dtype="float32")(x), name="shape")


def folder(runs: Path, name: str, epochs: int, seed: int) -> Path:
    """Return where a run is kept."""
    return runs / f"{name.replace(' ', '-').replace(',', '')}-{epochs}-epochs-{seed}"


def finished(run: Path) -> bool:
    """Return whether a run is there and was trained to its end."""
    return (run / METADATA).exists() and "finished" in json.loads((run / METADATA).read_text())


def seeds_there(runs: Path, name: str, epochs: int) -> list[int]:
    """Return the seeds of the finished runs of a shape."""
    return [seed for seed in range(1, 10) if finished(folder(runs, name, epochs, seed))]


def others(names: Collection[str], epochs: int) -> dict[str, Any]:
    """Return the rows that stay in the table when `names` are measured; none do when these are all.

    Raises:
        MeasurementError: they cannot be compared with what is measured here, after so many epochs.
    """
    if set(names) == set(SHAPES) or not RESULTS.exists():
        return {}
    table, machine = json.loads(RESULTS.read_text()), describe_machine()
    rows = {name: row for name, row in table["shapes"].items() if name not in names}
    found = [f"{count} epochs" for count in sorted({row["epochs"] for row in rows.values()} - {epochs})]
    found += [f"other {key}" for key, value in machine.items() if table["machine"].get(key) != value]
    if rows and found:
        raise MeasurementError(
            f"{RESULTS.name}: expected the other shapes to have {epochs} epochs and this machine, found "
            f"{', '.join(found)}; without --only all are measured"
        )
    return rows


def keep(rows: dict[str, dict[str, Any]], epochs: int) -> None:
    """Write the table: these rows and the others that are there."""
    document = {"machine": describe_machine(), "shapes": others(rows, epochs) | rows}
    write_atomically(RESULTS, json.dumps(document, indent=1).encode() + b"\n")


def main() -> None:
    """Train what is missing, time everything, and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("votes", type=Path)
    parser.add_argument("--runs", type=Path, default=Path("runs/shapes"))
    parser.add_argument("--only", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2])
    options = parser.parse_args()
    others(options.only, options.epochs)  # refuses now what could not be kept in the end
    dataset = load_dataset(options.data, auxiliary=options.votes)
    sample = calibration_sample(dataset.split(TRAINING), 1).images
    files, rows = dict[str, bytes](), dict[str, dict[str, Any]]()
    for name in options.only:
        registry.ZOO[name] = registry.Architecture(name, name, functools.partial(build, SHAPES[name]))
        accuracies = []
        seeds = sorted({*options.seeds, *seeds_there(options.runs, name, options.epochs)})
        for seed in seeds:
            recipe = Recipe(
                options.epochs,
                learning_rate=4e-3,
                dropout=0.0,
                holdout=HELD_OUT,
                auxiliary_share=0.5,
                seed=seed,
                augmentation=Augmentation(erasing=0.1, mixup=0.0),
            )
            out = folder(options.runs, name, options.epochs, seed)
            if not finished(out):
                train_model(dataset, name, recipe, out, resume=(out / CHECKPOINT).exists())
            history = list(csv.DictReader((out / HISTORY).open()))
            accuracies.append(float(history[-1]["holdout_accuracy"]))
        graph = fold_batch_norms(read_keras(load_model(out / MODEL).model))
        files[name] = export_int8(graph, calibrate(graph, sample, lambda _: None))
        contents = read_tflite(files[name])
        rows[name] = {
            "shape": dataclasses.asdict(SHAPES[name]),
            "epochs": len(history),
            "seeds": seeds,
            "held_out": json.loads((out / METADATA).read_text())["data"]["images"]["held_out"],
            "holdout_accuracies": accuracies,
            "multiply_adds": tflite_cost(contents).multiply_adds,
            "bytes": len(files[name]),
            "operators": contents.operator_counts(),
        }
    times = measure({name: interpreter(content) for name, content in files.items()}, 400)
    for name, row in rows.items():
        row["us"] = float(np.median(times[name]))
        print(f"{name:30} {np.mean(row['holdout_accuracies']):.1%} {row['us']:6.1f} us {row['bytes'] / 1024:6.1f} KB")
    keep(rows, options.epochs)


if __name__ == "__main__":
    try:
        main()
    except FerEdgeError as error:
        raise SystemExit(f"Error: {error}") from error
