"""Two measurements side by side: ratios, and how sure they are."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fer_edge.device.bench.document import PERCENTILES, Document, Time
from fer_edge.device.bench.model import BATCHES
from fer_edge.device.bench.report import machine_line
from fer_edge.errors import MeasurementError

RESAMPLES = 10_000
CONFIDENCE = 0.95

METHOD = (
    f"{CONFIDENCE:.0%} percentile bootstrap: {RESAMPLES:,} resamples of the {BATCHES} batches of each measurement, "
    "their spread laid about the ratio of the whole; it covers what varies within a measurement, not from one to the "
    "next"
)


@dataclasses.dataclass(frozen=True)
class Ratio:
    """A time of B over that of A.

    Attributes:
        a: of the whole measurement A, as it printed it.
        b: likewise of B.
        ratio: b / a; below 1, B is faster.
        low: lower end of the interval of `METHOD`.
        high: its upper end.
    """

    a: float
    b: float
    ratio: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes:
        warnings: one sentence each.
        latency: (threads, XNNPACK, percentile) -> ratio, in microseconds.
        stages: stage of the loop -> ratio of its mean times, in milliseconds.
        top1_difference: accuracy of B less that of A, and its standard error, as shares; None without common data.
    """

    warnings: tuple[str, ...]
    latency: Mapping[tuple[int, bool, str], Ratio]
    stages: Mapping[str, Ratio]
    top1_difference: tuple[float, float] | None


def compare(a: Document, b: Document) -> Comparison:
    """Compare what both measured: rows of equal threads and XNNPACK, and the loop on the same pictures."""
    latency = {
        (*row, name): ratio
        for row in a.latency
        if row in b.latency
        for name in PERCENTILES
        if (ratio := ratio_of(a.latency[row][name], b.latency[row][name]))
    }
    stages = {
        name: ratio
        for name, values in a.stages.items()
        if a.pictures == b.pictures and name in b.stages and (ratio := ratio_of(values, b.stages[name]))
    }
    if not latency and not stages:
        raise MeasurementError(
            f"{a.file}, {b.file}: expected something measured in both, with {BATCHES} runs or more, found nothing; "
            "measure with the same --threads, --xnnpack and --source"
        )
    difference = None
    if a.top1 and b.top1 and a.top1.images == b.top1.images:
        difference = (b.top1.share - a.top1.share, math.hypot(a.top1.error, b.top1.error))
    return Comparison(tuple(_warnings(a, b)), latency, stages, difference)


def ratio_of(a: Time, b: Time) -> Ratio | None:
    """Return the ratio of B to A; None for less than `BATCHES` batches or for no time."""
    if min(len(a.batches), len(b.batches)) < BATCHES or not a.whole or not a.batches.all() or not b.batches.any():
        return None
    rng = np.random.default_rng(0)
    means = [
        values[rng.integers(0, len(values), (RESAMPLES, len(values)))].mean(axis=1) for values in (a.batches, b.batches)
    ]
    tail = (1 - CONFIDENCE) / 2
    ratio = b.whole / a.whole
    # A percentile of few runs is biased (the p99 of a batch is near its highest), hence only their spread is used.
    spread = np.quantile(means[1] / means[0], (tail, 1 - tail)) / (b.batches.mean() / a.batches.mean())
    return Ratio(a.whole, b.whole, ratio, float(ratio * spread[0]), float(ratio * spread[1]))


def _warnings(a: Document, b: Document) -> Iterator[str]:
    if _identity(a.machine) != _identity(b.machine):
        yield f"the machines differ: {_machine(a)} and {_machine(b)}"
    for each in (a, b):
        if each.throttling:
            yield f"{each.file} was throttled ({each.throttling}); its times are not that machine's"
        if not each.standard:
            yield f"{each.file} was measured for less than the protocol asks for"
    if a.model["sha256"] != b.model["sha256"]:
        yield f"the models differ: {_model(a)} and {_model(b)}"
    versions = {name: (a.machine["versions"].get(name), b.machine["versions"].get(name)) for name in _names(a, b)}
    changed = [f"{name} {old or 'none'} and {new or 'none'}" for name, (old, new) in versions.items() if old != new]
    if a.runtime != b.runtime:
        changed.insert(0, f"{a.runtime} and {b.runtime}")
    if changed:
        yield f"the software differs: {', '.join(changed)}"
    if a.pictures and b.pictures and a.pictures != b.pictures:
        yield "the loops worked on different pictures, or with different detectors, and are not compared"


def _identity(machine: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(machine[key] for key in ("kind", "board", "architecture", "processor", "cores"))


def _machine(document: Document) -> str:
    return machine_line(dict(document.machine))


def _model(document: Document) -> str:
    return f"{document.model['file']} ({document.model['sha256'][:12]})"


def _names(a: Document, b: Document) -> list[str]:
    return sorted({*a.machine["versions"], *b.machine["versions"]})


def to_json(a: Document, b: Document, comparison: Comparison) -> str:
    """Return the comparison as a JSON document."""
    difference = comparison.top1_difference
    document = {
        "a": {"file": a.file, "machine": dict(a.machine), "model": dict(a.model)},
        "b": {"file": b.file, "machine": dict(b.machine), "model": dict(b.model)},
        "method": METHOD,
        "warnings": list(comparison.warnings),
        "latency_us": [
            {"threads": threads, "xnnpack": xnnpack, "percentile": name, **dataclasses.asdict(ratio)}
            for (threads, xnnpack, name), ratio in comparison.latency.items()
        ],
        "stages_ms": [{"stage": name, **dataclasses.asdict(ratio)} for name, ratio in comparison.stages.items()],
        "top1": {"difference": difference[0], "se": difference[1]} if difference else None,
    }
    return json.dumps(document, indent=1)


def to_table(a: Document, b: Document, comparison: Comparison) -> str:
    """Return the comparison as lines for a terminal of 80 columns."""
    lines = [
        f"{name}: {each.file}, {_model(each)}, {machine_line(dict(each.machine))}"
        for name, each in (("A", a), ("B", b))
    ]
    lines += [f"warning: {warning}" for warning in comparison.warnings]
    if comparison.latency:
        lines += ["", "Model: one face, microseconds", f"{'threads':>8} XNNPACK  time {_HEAD}"]
        for (threads, xnnpack, name), ratio in comparison.latency.items():
            lines.append(f"{threads:>8} {'on' if xnnpack else 'off':<7}  {name:<5}{_columns(ratio, 1)}")
    if comparison.stages:
        lines += ["", "Device loop: mean of a picture, milliseconds", f"{'stage':<23}{_HEAD}"]
        lines += [f"{name:<22}{_columns(ratio, 2)}" for name, ratio in comparison.stages.items()]
    if comparison.top1_difference:
        difference, error = comparison.top1_difference
        lines += ["", f"Top-1: B - A = {100 * difference:+.2f} ± {100 * error:.2f} points (standard error, unpaired)"]
    lines += ["", "Below 1, B is faster. In brackets: " + METHOD]
    return "\n".join(lines)


_HEAD = f"{'A':>10}{'B':>10}{'B / A':>8}"


def _columns(ratio: Ratio, digits: int) -> str:
    return f"{ratio.a:>11,.{digits}f}{ratio.b:>10,.{digits}f}{ratio.ratio:>8.3f}  [{ratio.low:.3f}, {ratio.high:.3f}]"
