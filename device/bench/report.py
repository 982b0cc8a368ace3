"""A measurement in its two forms: a JSON document and a table to read."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

from fer_edge.device.bench.accuracy import Accuracy
from fer_edge.device.bench.conditions import RASPBERRY_PI, Conditions, Moment, describe_throttling, throttling
from fer_edge.device.bench.model import CROPS, MIN_RUNS, MIN_SECONDS, WARM_UP, ModelLatency

if TYPE_CHECKING:  # importing it needs OpenCV
    from fer_edge.device.bench.pipeline import PipelineLatency

SCHEMA = "fer-edge-bench/1"
"""What a document says it is; ``bench.schema.json`` describes it. Grows when a key goes or changes its meaning."""

BUSY = 0.5
"""Load average per core above which the table warns that other programs may have slowed the measurement down."""

_SHOWN = ("fer-edge", "numpy", "opencv-python-headless", "opencv-python", "ai-edge-litert", "tflite-runtime")
"""Packages whose versions the table names; the JSON document has all."""


@dataclasses.dataclass(frozen=True)
class Measurement:
    """All that one call of ``fer-edge bench`` found.

    Attributes:
        conditions: machine, versions, model.
        min_runs: timed runs of the model that were asked for.
        min_seconds: time for them that was asked for.
        moments: states of the machine before, between and after the parts, in order, at least one.
        latency: of the model, one row for each number of threads with and without XNNPACK.
        pipeline: of the device loop, if it was measured.
        accuracy: of the model, if data were given.
    """

    conditions: Conditions
    min_runs: int
    min_seconds: float
    moments: tuple[Moment, ...]
    latency: tuple[ModelLatency, ...]
    pipeline: PipelineLatency | None = None
    accuracy: Accuracy | None = None

    @property
    def is_standard(self) -> bool:
        """Whether the model was timed at least as often and as long as the protocol says."""
        return self.min_runs >= MIN_RUNS and self.min_seconds >= MIN_SECONDS


def machine_line(machine: dict[str, Any]) -> str:
    """Name the machine in words, so that its times are never taken for a Raspberry Pi's."""
    architecture, board = machine["architecture"], machine["board"] or ""
    kind = "workstation" if architecture == "x86_64" else "machine"
    name = f"{board}, {architecture}" if board else f"{architecture} {kind}"
    parts = [name, machine["processor"], _counted(machine["cores"], "core")]
    line = ", ".join(part for part in parts if part and part != "unknown")
    return line if machine["kind"] == RASPBERRY_PI else f"{line}; not a Raspberry Pi"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def to_json(measurement: Measurement) -> str:
    """Return the whole result as a JSON document; times carry their unit in their name."""
    m, bits = measurement, throttling(measurement.moments)
    document = {
        "schema": SCHEMA,
        **dataclasses.asdict(m.conditions),
        "protocol": {
            "scenario": "single stream",
            "standard": m.is_standard,
            "min_runs": m.min_runs,
            "min_seconds": m.min_seconds,
            "warm_up": WARM_UP,
            "input": f"{CROPS} random crops in turn; a run is copying one in, inference and reading the scores",
            "clock": "perf_counter_ns",
        },
        "before": dataclasses.asdict(m.moments[0]),
        "after": dataclasses.asdict(m.moments[-1]),
        "throttled": None if bits is None else bool(bits),
        "throttling": describe_throttling(m.moments),
        "latency": [
            {**dataclasses.asdict(row), "more_threads_than_cores": row.threads > m.conditions.cores}
            for row in m.latency
        ],
        "pipeline": dataclasses.asdict(m.pipeline) if m.pipeline else None,
        "accuracy": dataclasses.asdict(m.accuracy) if m.accuracy else None,
    }
    # Lists of numbers on one line each; no string holds a line break, which JSON writes as \n.
    return re.sub(
        r"\[\n[-+.,\w\s]+\]", lambda found: f"[{' '.join(found[0][1:-1].split())}]", json.dumps(document, indent=1)
    )


def to_table(measurement: Measurement) -> str:
    """Return the result as lines for a terminal of 80 columns."""
    m, conditions, cores = measurement, measurement.conditions, measurement.conditions.cores
    model, machine = conditions.model, conditions.machine
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items() if name in _SHOWN)
    lines = [
        f"model: {model['file']} ({model['bytes'] / 1024:.1f} KB, sha256 {model['sha256'][:12]})",
        f"measured on: {machine_line(machine)}",
        f"software: {machine['system']}, Python {machine['python']}, {versions}",
        f"processor: {_state_line(m.moments)}",
        *_warnings(m),
        "",
        f"Model: one face, microseconds; single stream, at least {m.min_runs:,} runs and {m.min_seconds:g} s",
        f"{'threads':>8} XNNPACK{'p50':>10}{'p90':>10}{'p99':>10}{'mean':>10}{'CPU':>10}{'first':>10}{'init':>10}"
        f"{'runs':>9}",
    ]
    for row in m.latency:
        mark = "*" if row.threads > cores else " "
        wall = row.wall_us
        figures = (wall.p50, wall.p90, wall.p99, wall.mean, row.cpu_us, row.first_us, row.init_us)
        times = "".join(f"{us:>10,.1f}" for us in figures)
        lines.append(f"{row.threads:>7}{mark} {'on' if row.xnnpack else 'off':<7}{times}{row.runs:>9,}")
    if any(row.threads > cores for row in m.latency):
        lines.append(f"* more threads than the {_counted(cores, 'core')} of this machine")
    if m.pipeline:
        lines += ["", *_pipeline_lines(m.pipeline)]
    if memory := m.moments[-1].resident_mb:
        lines += ["", f"Memory of this process: {memory:.0f} MB resident"]
    if a := m.accuracy:
        lines += [
            "",
            f"Accuracy of the same file: {a.top1:.2%} ± {a.top1_se:.2%} top-1, balanced {a.balanced_accuracy:.2%}, "
            f"macro F1 {a.macro_f1:.2%}; {a.images:,} images of {a.split} in {a.data}",
        ]
    return "\n".join(lines)


def _state_line(moments: tuple[Moment, ...]) -> str:
    before, after = moments[0], moments[-1]
    parts = []
    if after.governor:
        parts.append(f"{after.governor}, {after.clock_mhz or '?'} of {after.maximum_mhz or '?'} MHz")
    if before.temperature_c is not None and after.temperature_c is not None:
        parts.append(f"{before.temperature_c:.0f} °C before, {after.temperature_c:.0f} °C after")
    if throttling(moments) == 0:
        parts.append("not throttled")
    return ", ".join(parts) or "governor, clock and temperature unknown"


def _warnings(m: Measurement) -> list[str]:
    warnings, before, cores = [], m.moments[0], m.conditions.cores
    if held := describe_throttling(m.moments):
        warnings.append(f"THROTTLED: {held}; the times are not this machine's, see 'fer-edge doctor'")
    if before.load_average > BUSY * cores:
        warnings.append(
            f"warning: the machine was busy in the minute before (load {before.load_average:.1f} on "
            f"{_counted(cores, 'core')}); if other programs run, these times are too long"
        )
    if before.limit_mhz and before.maximum_mhz and before.limit_mhz < before.maximum_mhz:
        warnings.append(f"warning: the clock is limited to {before.limit_mhz} of {before.maximum_mhz} MHz")
    if not m.is_standard:
        warnings.append(f"warning: shorter than the protocol: {MIN_RUNS:,} runs and {MIN_SECONDS:g} s at least")
    return warnings


def _pipeline_lines(pipeline: PipelineLatency) -> list[str]:
    p, total = pipeline, pipeline.stages_ms["total"]
    waits = ", the wait for the camera" if p.live else ""
    by = "" if p.detector == "haar" else f", {p.detector}"
    lines = [
        f"Device loop: {p.source}{by}, one picture of {p.width}x{p.height}, milliseconds, {p.frames:,} pictures "
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
