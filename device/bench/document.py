"""The documents that ``fer-edge bench`` writes, read again for a comparison."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.bench.report import SCHEMA, machine_line
from fer_edge.errors import MeasurementError

PERCENTILES = ("p50", "p90", "p99")
"""What is compared of the model's latency."""


@dataclasses.dataclass(frozen=True)
class TopOne:
    """An accuracy.

    Attributes:
        images: fingerprint of the data set, and name of the split.
        share: of the images that were classified rightly.
        error: its standard error.
    """

    images: tuple[str, str]
    share: float
    error: float


@dataclasses.dataclass(frozen=True)
class Time:
    """A figure of a measured time.

    Attributes:
        whole: of all runs, what the measurement printed.
        batches: the same of each batch, (N,).
    """

    whole: float
    batches: NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Document:
    """What a comparison needs of a document that ``fer-edge bench`` wrote.

    Attributes:
        file: where it was read from.
        machine: see `Conditions`.
        runtime: the module that ran the model.
        model: see `Conditions`.
        standard: the protocol was followed.
        throttling: what held the processor back; empty for nothing.
        latency: (threads, XNNPACK) -> percentile of `PERCENTILES` -> its value, microseconds.
        pictures: source, width and height of the loop's pictures, and its detector; None if the loop was not measured.
        stages: stage of the loop -> its mean, milliseconds.
        top1: None if no data were given.
    """

    file: str
    machine: Mapping[str, Any]
    runtime: str
    model: Mapping[str, Any]
    standard: bool
    throttling: str
    latency: Mapping[tuple[int, bool], Mapping[str, Time]]
    pictures: tuple[str, int, int, str] | None
    stages: Mapping[str, Time]
    top1: TopOne | None


def read_document(path: Path) -> Document:
    """Read a document of ``fer-edge bench``.

    Raises:
        MeasurementError: it is none, of another schema, or damaged.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no JSON"
        raise MeasurementError(f"{path}: expected a result of 'fer-edge bench --out', but {reason}") from error
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema != SCHEMA:
        raise MeasurementError(
            f"{path}: expected a result of 'fer-edge bench --out' of schema {SCHEMA}, "
            f"found {schema or 'another document'}; measure again with this version"
        )
    try:
        return _parse(path, found)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise MeasurementError(
            f"{path}: expected a result of 'fer-edge bench --out', found a damaged one "
            f"({type(error).__name__}: {error}); measure again"
        ) from error


def _parse(path: Path, found: dict[str, Any]) -> Document:
    machine, loop = dict(found["machine"]), found["pipeline"]
    stages = loop["stages_ms"] if loop else {}
    machine["versions"] = dict(machine["versions"])
    machine_line(machine)  # raises where something is missing
    return Document(
        file=path.name,
        machine=machine,
        runtime=str(found["runtime"]),
        model={key: str(found["model"][key]) for key in ("file", "sha256")},
        standard=bool(found["protocol"]["standard"]),
        throttling=str(found["throttling"]),
        latency={
            (int(row["threads"]), bool(row["xnnpack"])): {
                name: _parse_time(row["wall_us"], name) for name in PERCENTILES
            }
            for row in found["latency"]
        },
        pictures=_pictures(loop) if loop else None,
        stages={name: _parse_time(wall, "mean") for name, wall in stages.items()},
        top1=_parse_top1(found["accuracy"]) if found["accuracy"] else None,
    )


def _parse_top1(found: Mapping[str, Any]) -> TopOne:
    images = (str(found["fingerprint"]), str(found["split"]))
    return TopOne(images, float(found["top1"]), float(found["top1_se"]))


def _parse_time(wall: Mapping[str, Any], name: str) -> Time:
    (whole,) = _times([wall[name]])
    return Time(float(whole), _times(wall["batches"][name]))


def _times(values: object) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or not array.size or not np.isfinite(array).all() or array.min() < 0:
        raise ValueError("times that are no list of times")
    return array


def _pictures(loop: Mapping[str, Any]) -> tuple[str, int, int, str]:
    # Documents of before there was a choice name no detector.
    return str(loop["source"]), int(loop["width"]), int(loop["height"]), str(loop.get("detector", "haar"))
