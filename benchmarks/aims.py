"""What the shipped models are to reach, and what they reach, from the results in benchmarks/results."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
SEVEN = ("nano", "compact", "large", "compact-fer2013")
MODELS = (*SEVEN, "compact-ferplus")
PUBLISHED = "mini-Xception, dynamic range"
"""The form of the file that the most used package ships: what is to be faster is to be faster than that."""

Numbers = Mapping[str, Any]
Row = tuple[str, Callable[[Numbers], float], Callable[[float], str], Callable[[float, str], bool], str]

LEAST_TOP1 = {"nano": 0.645, "compact": 0.67, "large": 0.7, "compact-fer2013": 0.685, "compact-ferplus": 0.8}
MOST_KB = {"nano": 64, "compact": 200, "large": 1024, "compact-fer2013": 200, "compact-ferplus": 200}
COMPACTS = ("compact", "compact-fer2013", "compact-ferplus")
MOST_MULTIPLY_ADDS = {"nano": 3e6, "large": 60e6} | dict.fromkeys(COMPACTS, 12e6)
LEAST_TIMES_FASTER = {"nano": 12.0} | dict.fromkeys(COMPACTS, 5.0)


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _points(value: float) -> str:
    return f"{100 * value:.1f}"


def _lost(condition: str) -> Callable[[Numbers], float]:
    return lambda found: float(found["evaluated"]["top1"] - found["evaluated"]["robustness"][condition])


def _disgust(found: Numbers) -> float:
    return float(next(c["recall"] for c in found["evaluated"]["classes"] if c["label"] == "disgust"))


def _times_faster(reference: str) -> Callable[[Numbers], float]:
    return lambda found: float(found["latency"]["times_faster"][reference]["ratio"])


def _under_three(value: float, _: str) -> bool:
    return value < 0.03


ROWS: tuple[Row, ...] = (
    (
        "top-1",
        lambda found: float(found["evaluated"]["top1"]),
        _percent,
        lambda value, model: value >= LEAST_TOP1[model],
        "at least 64.5, 67, 70, 68.5 and 80 %",
    ),
    (
        "macro F1 below it, points",
        lambda found: float(found["evaluated"]["top1"] - found["evaluated"]["macro_f1"]),
        _points,
        lambda value, model: value <= 0.04 or model not in SEVEN,
        "at most 4, of seven classes",
    ),
    (
        "recall of disgust",
        _disgust,
        _percent,
        lambda value, model: value >= 0.45 or model not in SEVEN,
        "at least 45 %, of seven classes",
    ),
    (
        "calibration error",
        lambda found: float(found["evaluated"]["calibration_error"]),
        _percent,
        lambda value, _: value < 0.04,
        "under 4 %",
    ),
    (
        "float model's top-1 above it, points",
        lambda found: -float(found["converted"]["difference"]),
        _points,
        lambda value, _: value <= 0.005,
        "at most 0.5",
    ),
    (
        "same class as the float model",
        lambda found: float(found["converted"]["agreement"]),
        _percent,
        lambda value, _: value >= 0.985,
        "at least 98.5 %",
    ),
    ("loss by a shift of 10 %, points", _lost("shift"), _points, _under_three, "under 3"),
    ("loss at scale 0.8, points", _lost("scale 0.8"), _points, _under_three, "under 3"),
    ("loss at scale 1.25, points", _lost("scale 1.25"), _points, _under_three, "under 3"),
    (
        "file, KB",
        lambda found: found["evaluated"]["models"][0]["bytes"] / 1024,
        lambda value: f"{value:.1f}",
        lambda value, model: value <= MOST_KB[model],
        "at most 64, 200, 1,024, 200 and 200",
    ),
    (
        "multiply-adds, M",
        lambda found: float(found["cost"]["multiply_adds"]),
        lambda value: f"{value / 1e6:.1f}",
        lambda value, model: value <= MOST_MULTIPLY_ADDS[model],
        "at most 3, 12, 60, 12 and 12",
    ),
    (
        f"times as fast as a {PUBLISHED}",
        _times_faster(PUBLISHED),
        lambda value: f"{value:.1f}",
        lambda value, model: value >= LEAST_TIMES_FASTER.get(model, 0.0),
        "at least 12 and 5, but for `large`",
    ),
    (
        "times as fast as one in int8, which nobody ships",
        _times_faster("mini-Xception, int8"),
        lambda value: f"{value:.1f}",
        lambda *_: True,
        "none",
    ),
)
"""What it is called, how it is read and written, whether it is reached, and the aim in words."""


def aims_table() -> str:
    """Return one row for each aim, one column for each shipped model; in bold what misses."""
    latency = json.loads((RESULTS / "accuracy" / "latency.json").read_text())
    found = {name: _read(name, latency) for name in MODELS}
    lines = [f"| | {' | '.join(f'`{name}`' for name in MODELS)} | aim |", f"|---|{'---:|' * len(MODELS)}---|"]
    for called, read, write, reached, aim in ROWS:
        cells = []
        for name in MODELS:
            value = read(found[name])
            cells.append(write(value) if reached(value, name) else f"**{write(value)}**")
        lines.append(f"| {called} | {' | '.join(cells)} | {aim} |")
    processor = latency["machine"]["processor"]
    return "\n".join([*lines, "", f"Speed: on one thread of an {processor}, the models in turns in one run."])


def _read(name: str, latency: Numbers) -> Numbers:
    report = json.loads((RESULTS / "conversion" / f"{name}.json").read_text())
    return {
        "evaluated": json.loads((RESULTS / "x86_64" / f"{name}-evaluate.json").read_text()),
        "converted": report["comparison"],
        "cost": report["cost"],
        "latency": latency["models"][name],
    }
