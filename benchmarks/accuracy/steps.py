#!/usr/bin/env python3
"""How long a training step of the shipped networks takes, with the fused batch norm and with Keras's own.

    taskset -c 0 benchmarks/accuracy/steps.py [MODEL ...] [--seconds N]

Steps of 64 random pictures with a student's augmentation and optimizer, in float32 and in bfloat16, on the backend of
KERAS_BACKEND (TensorFlow where it is installed). Prints a Markdown table; keeps nothing.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from fer_edge.errors import FerEdgeError
from fer_edge.machine import describe_machine
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.augment.augmenter import Augmenter
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop.optimizer import make_optimizer
from fer_edge.train.loop.precision import computing_in, fuse_batch_norm
from fer_edge.train.loop.training_model import AugmentedModel
from fer_edge.train.recipe import Recipe
from fer_edge.train.zoo.registry import find_architecture

keras = load_keras()
BATCH = 64
AS_A_STUDENT = Augmentation(rotation=0.0, scale=0.0, shift=0.0, contrast=0.0, light=0.05, blur=0.05, noise=0.05)


def milliseconds(name: str, precision: str, fused: bool, seconds: float) -> float:
    """Return the mean time of a step, after some that are not counted."""
    with computing_in(precision):
        network = find_architecture(name).build(48, 7, 0.1)
    if fused:
        fuse_batch_norm(network)
    model = AugmentedModel(network, Augmenter(AS_A_STUDENT, 1), 0.1)
    model.compile(
        optimizer=make_optimizer(Recipe(optimizer="muon", learning_rate=2e-2), 440),
        jit_compile=keras.backend.backend() == "jax",
    )
    random = np.random.default_rng(1)
    images = random.uniform(0, 255, (BATCH, 48, 48, 1)).astype(np.float32)
    batch = {"image": images, "targets": {"label": np.eye(7, dtype=np.float32)[random.integers(0, 7, BATCH)]}}
    nothing = np.zeros(BATCH, np.float32)
    for _ in range(8):
        model.train_on_batch(batch, nothing)
    started, steps = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        model.train_on_batch(batch, nothing)
        steps += 1
    return (time.perf_counter() - started) / steps * 1e3


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["nano", "compact", "large"])
    parser.add_argument("--seconds", type=float, default=5.0, help="Of each measurement.")
    options = parser.parse_args()
    print("| model | float32 | bfloat16 |\n|---|---:|---:|")
    for name in options.models:
        cells = []
        for precision in ("float32", "bfloat16"):
            fused, composed = (milliseconds(name, precision, f, options.seconds) for f in (True, False))
            cells.append(f"{fused:.0f} ({composed:.0f}) ms")
        print(f"| `{name}` | {' | '.join(cells)} |", flush=True)
    machine = describe_machine()
    print(f"\n{keras.backend.backend()}, {machine['architecture']}, {machine['processor']}")


if __name__ == "__main__":
    try:
        main()
    except FerEdgeError as error:
        raise SystemExit(f"Error: {error}") from error
