"""What a measurement was made with, and its two forms: a JSON document and a table to read."""

from __future__ import annotations

import dataclasses
import datetime
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_edge.device.bench import WARM_UP, ModelLatency
from fer_edge.machine import describe_machine
from fer_edge.model_file import check_tflite, file_hash, read_info
from fer_edge.runtime import load_runtime

if TYPE_CHECKING:  # importing it needs OpenCV
    from fer_edge.device.bench_pipeline import PipelineLatency

BUSY = 0.5
"""Load average per core above which the table warns that other programs may have slowed the measurement down."""

_SHOWN = ("fer-edge", "numpy", "opencv-python-headless", "opencv-python", "ai-edge-litert", "tflite-runtime")
"""Packages whose versions the table names; the JSON document has all."""


@dataclasses.dataclass(frozen=True)
class Conditions:
    """The circumstances of a measurement, noted before it begins.

    Attributes:
        date: ISO 8601, UTC.
        machine: see `describe_machine`.
        load_average: processes that wanted to run in the last minute, on average.
        runtime: the module that runs the model.
        model: file name, name, bytes and SHA-256 of the model file.
    """

    date: str
    machine: dict[str, Any]
    load_average: float
    runtime: str
    model: dict[str, Any]

    @classmethod
    def now(cls, model: Path) -> Conditions:
        """Note the circumstances of this moment.

        Raises:
            ModelFileError: the file is no TFLite model, or does not say what it is.
            MissingExtraError: no TFLite runtime is installed.
        """
        check_tflite(model)
        name = read_info(model).name
        facts = {"file": model.name, "name": name, "bytes": model.stat().st_size, "sha256": file_hash(model)}
        date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        return cls(date, describe_machine(), os.getloadavg()[0], load_runtime().__name__, facts)

    @property
    def cores(self) -> int:
        """Cores that this process may use."""
        return int(self.machine["cores"])


def machine_line(machine: dict[str, Any]) -> str:
    """Name the machine in words, so that its times are never taken for a Raspberry Pi's."""
    architecture, board = machine["architecture"], machine["board"] or ""
    kind = "workstation" if architecture == "x86_64" else "machine"
    name = f"{board}, {architecture}" if board else f"{architecture} {kind}"
    parts = [name, machine["processor"], _counted(machine["cores"], "core")]
    line = ", ".join(part for part in parts if part and part != "unknown")
    return line if board.startswith("Raspberry Pi") else f"{line}; not a Raspberry Pi"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def to_json(conditions: Conditions, latency: list[ModelLatency], pipeline: PipelineLatency | None) -> dict[str, Any]:
    """Return the whole result as a JSON-ready document; times carry their unit in their name."""
    return {
        **dataclasses.asdict(conditions),
        "protocol": {
            "clock": "perf_counter_ns",
            "warm_up": WARM_UP,
            "runs": latency[0].runs,
            "threads": [row.threads for row in latency],
            "input": "random crops; a run is copying one in, inference and reading the scores",
        },
        "latency": [
            {**dataclasses.asdict(row), "more_threads_than_cores": row.threads > conditions.cores} for row in latency
        ],
        "pipeline": dataclasses.asdict(pipeline) if pipeline else None,
    }


def to_table(conditions: Conditions, latency: list[ModelLatency], pipeline: PipelineLatency | None) -> str:
    """Return the result as lines for a terminal of 80 columns."""
    model, machine, cores = conditions.model, conditions.machine, conditions.cores
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items() if name in _SHOWN)
    lines = [
        f"model: {model['file']} ({model['bytes'] / 1024:.1f} KB, sha256 {model['sha256'][:12]})",
        f"measured on: {machine_line(machine)}",
        f"software: {versions}, Python {machine['python']}",
    ]
    if conditions.load_average > BUSY * cores:
        lines.append(
            f"warning: the machine was busy in the minute before (load {conditions.load_average:.1f} on "
            f"{_counted(cores, 'core')}); if other programs run, these times are too long"
        )
    lines += [
        "",
        f"Model: one face, microseconds, {latency[0].runs:,} runs after {WARM_UP} for warm-up",
        f"{'threads':>8}{'p50':>10}{'p90':>10}{'p99':>10}{'mean':>10}{'CPU':>10}{'first':>10}{'init':>11}",
    ]
    for row in latency:
        mark = "*" if row.threads > cores else " "
        wall = row.wall_us
        times = "".join(f"{us:>10,.1f}" for us in (wall.p50, wall.p90, wall.p99, wall.mean, row.cpu_us, row.first_us))
        lines.append(f"{row.threads:>7}{mark}{times}{row.init_us:>11,.1f}")
    if any(row.threads > cores for row in latency):
        lines.append(f"* more threads than the {_counted(cores, 'core')} of this machine")
    if pipeline:
        lines += ["", *_pipeline_lines(pipeline)]
    return "\n".join(lines)


def _pipeline_lines(pipeline: PipelineLatency) -> list[str]:
    p, total = pipeline, pipeline.stages_ms["total"]
    waits = ", the wait for the camera" if p.live else ""
    lines = [
        f"Device loop: {p.source}, one picture of {p.width}x{p.height}, milliseconds, {p.frames:,} pictures "
        f"after {p.warm_up_frames}",
        f"{'stage':<10}{'p50':>10}{'p90':>10}{'p99':>10}{'mean':>10}",
    ]
    for stage, wall in p.stages_ms.items():
        times = "".join(f"{ms:>10,.2f}" for ms in (wall.p50, wall.p90, wall.p99, wall.mean))
        lines.append(f"{stage:<10}{times}")
    lines.append(
        f"total is without capture{waits}; that is {1000 / total.mean:.1f} pictures a second, "
        f"with {p.faces:.2f} faces in one on average"
    )
    lines.append(
        f"CPU time of a picture, capture included: {p.cpu_ms:.2f} ms, "
        f"with {_counted(p.opencv_threads, 'thread')} for detection"
    )
    if p.live:
        lines.append(f"{p.dropped:,} pictures of the camera were dropped")
    return lines
