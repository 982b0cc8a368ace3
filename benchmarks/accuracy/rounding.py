#!/usr/bin/env python3
"""What each part of the quantization is worth, without fine-tuning: one trained model, its parts added one by one.

    benchmarks/accuracy/rounding.py RUN/model.keras --data fer2013.csv [--name NAME]

The fake-quantized network on PublicTest, compared with the float one: the widest ranges; means of pooling in steps of
their own; ranges of an LSTM that end where its gates are saturated; biases corrected; ranges of the least error. With
--name the result is kept in benchmarks/results/accuracy/rounding.json. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.forward import Hooks, Unchanged, forward
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.graph.graph import Graph
from fer_edge.convert.quantize.bias_correction import correct_biases
from fer_edge.convert.quantize.calibration import Extremes, calibrate, calibration_sample, see
from fer_edge.convert.quantize.fake_quant import FakeQuantization
from fer_edge.convert.quantize.ranges import Range, quantized_nodes, shared_ranges
from fer_edge.errors import FerEdgeError
from fer_edge.files import write_atomically
from fer_edge.machine import describe_machine
from fer_edge.train.data.dataset import PUBLIC_TEST
from fer_edge.train.data.duplicates import training_without_leaks
from fer_edge.train.data.load import load_dataset
from fer_edge.train.keras_model import load_model

RESULT = Path(__file__).resolve().parents[1] / "results" / "accuracy" / "rounding.json"
BATCH = 200


def pooled_in_the_maps_steps(graph: Graph) -> Graph:
    """Return the graph with AVERAGE_POOL_2D in place of the depthwise convolutions that stand for it."""
    pools = {
        n.name: dataclasses.replace(n, kind="average_pool", weights={}) for n in graph.nodes if "size" in n.options
    }
    nodes = tuple(pools[n.name] if n.kind == "depthwise" and n.name in pools else n for n in graph.nodes)
    return dataclasses.replace(graph, nodes=nodes)


def unlimited(graph: Graph) -> Graph:
    """Return the graph without limits of ranges."""
    nodes = (dataclasses.replace(n, options={k: v for k, v in n.options.items() if k != "limit"}) for n in graph.nodes)
    return dataclasses.replace(graph, nodes=tuple(nodes))


def widest_ranges(graph: Graph, images: NDArray[np.uint8]) -> dict[str, Range]:
    """Return the ranges from the smallest to the largest value."""
    extremes = Extremes(node.name for node in quantized_nodes(graph))
    see(graph, images, extremes, lambda _: None)
    return shared_ranges(graph, extremes.ranges())


def scores(graph: Graph, images: NDArray[np.uint8], hooks: Hooks) -> NDArray[np.float32]:
    """Return the probabilities, N x classes."""
    weights = {node.name: node.weights for node in graph.nodes}
    compute = tf.function(lambda batch: forward(graph, batch, weights, hooks))
    parts = np.array_split(images[..., None].astype(np.float32) / np.float32(255), len(images) // BATCH + 1)
    return np.concatenate([compute(tf.constant(part)).numpy() for part in parts])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--name", help="under which the result is kept")
    options = parser.parse_args()
    dataset = load_dataset(options.data)
    test, sample = dataset.split(PUBLIC_TEST), calibration_sample(training_without_leaks(dataset), seed=1).images
    graph = fold_batch_norms(read_keras(load_model(options.model).model))
    expected = scores(graph, test.images, Unchanged())
    rows: dict[str, dict[str, float]] = {}

    def add(row: str, network: Graph, ranges: Mapping[str, Range]) -> None:
        found = scores(network, test.images, FakeQuantization(ranges))
        rows[row] = {
            "agreement": round(float((found.argmax(axis=1) == expected.argmax(axis=1)).mean()), 4),
            "mean_difference": round(float(np.abs(found - expected).mean()), 5),
            "top1": round(float((found.argmax(axis=1) == test.labels).mean()), 4),
        }

    plain = unlimited(pooled_in_the_maps_steps(graph))
    add("widest ranges", plain, widest_ranges(plain, sample))
    if any(node.kind == "average_pool" for node in plain.nodes):
        add("means in steps of their own", unlimited(graph), widest_ranges(unlimited(graph), sample))
    widest = widest_ranges(graph, sample)
    if any("limit" in node.options for node in graph.nodes):
        add("ranges of an LSTM that end where its gates do", graph, widest)
    add("biases corrected", correct_biases(graph, widest, sample), widest)
    best = calibrate(graph, sample, lambda _: None)
    add("ranges of the least error", correct_biases(graph, best, sample), best)
    print("| | same class as float | mean difference of a probability | top-1 |\n|---|---:|---:|---:|")
    for row, values in rows.items():
        print(f"| {row} | {values['agreement']:.1%} | {values['mean_difference']:.4f} | {values['top1']:.1%} |")
    if options.name:
        kept = json.loads(RESULT.read_text()) if RESULT.exists() else {}
        kept[options.name] = {"images": len(test), "machine": describe_machine(), "rows": rows}
        write_atomically(RESULT, json.dumps(kept, indent=1).encode() + b"\n")


if __name__ == "__main__":
    try:
        main()
    except FerEdgeError as error:
        raise SystemExit(f"Error: {error}") from error
