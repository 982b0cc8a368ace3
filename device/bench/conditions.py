"""The circumstances of a measurement: machine, versions, model file, and what heat and power do to the processor."""

from __future__ import annotations

import dataclasses
import datetime
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_edge.device.doctor.power import SINCE_START, explain_throttling, read_temperature, read_throttled
from fer_edge.device.doctor.processor import read_governor, read_megahertz
from fer_edge.device.doctor.system import System
from fer_edge.machine import describe_machine
from fer_edge.model_file import check_tflite, file_hash, read_info
from fer_edge.runtime import load_runtime

RASPBERRY_PI = "Raspberry Pi"

_NOW = (1 << 4) - 1
"""The bits of `read_throttled` that say what is so now."""


def machine_kind(machine: dict[str, Any]) -> str:
    """Return ``Raspberry Pi``, ``board`` (another one with a device tree), ``workstation`` (x86-64) or ``other``.

    `machine` is what `describe_machine` returns. An emulated Pi has no device tree and is ``other``.
    """
    board, architecture = machine["board"] or "", machine["architecture"]
    if architecture == "x86_64":
        return "workstation"
    if board.startswith(RASPBERRY_PI):
        return RASPBERRY_PI
    return "board" if board else "other"


@dataclasses.dataclass(frozen=True)
class Conditions:
    """What is measured on what, noted before the measurement.

    Attributes:
        date: ISO 8601, UTC.
        machine: see `describe_machine`, and its ``kind``.
        runtime: the module that runs the model.
        model: file name, name, bytes and SHA-256 of the model file.
    """

    date: str
    machine: dict[str, Any]
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
        machine = describe_machine()
        return cls(date, {"kind": machine_kind(machine), **machine}, load_runtime().__name__, facts)

    @property
    def cores(self) -> int:
        """Cores that this process may use."""
        return int(self.machine["cores"])


@dataclasses.dataclass(frozen=True)
class Moment:
    """The machine's state at one moment of the measurement; None stands for what it does not tell.

    Attributes:
        temperature_c: of the processor, in degrees Celsius.
        throttled: the bits of ``vcgencmd get_throttled``.
        governor: what sets the clock.
        clock_mhz: of the first core.
        limit_mhz: the highest clock that is allowed.
        maximum_mhz: the highest clock there is.
        load_average: processes that wanted to run in the last minute, on average.
        resident_mb: memory of this process that is in RAM, MB of 1,024 KB.
    """

    temperature_c: float | None
    throttled: int | None
    governor: str | None
    clock_mhz: int | None
    limit_mhz: int | None
    maximum_mhz: int | None
    load_average: float
    resident_mb: float | None

    @classmethod
    def now(cls, system: System) -> Moment:
        """Read the state of this moment."""
        return cls(
            temperature_c=read_temperature(system),
            throttled=read_throttled(system),
            governor=read_governor(system),
            clock_mhz=read_megahertz(system, "scaling_cur_freq"),
            limit_mhz=read_megahertz(system, "scaling_max_freq"),
            maximum_mhz=read_megahertz(system, "cpuinfo_max_freq"),
            load_average=round(os.getloadavg()[0], 2),
            resident_mb=_resident_mb(system),
        )


def _resident_mb(system: System) -> float | None:
    for line in (system.read("/proc/self/status") or "").splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return None


def throttling(moments: Sequence[Moment]) -> int | None:
    """Return which of the lower four bits of ``get_throttled`` held between the first moment and the last.

    A bit counts if it is set at one of the moments, or if its "since the start" twin appears after the first. None
    if nothing tells. A twin that was set before hides what happens between two moments.
    """
    bits = [moment.throttled for moment in moments if moment.throttled is not None]
    if not bits:
        return None
    held = 0
    for each in bits:
        new_since_start = (each & ~bits[0]) >> SINCE_START
        held |= (each | new_since_start) & _NOW
    return held


def describe_throttling(moments: Sequence[Moment]) -> str:
    """Say in words what `throttling` found; empty if it was nothing."""
    return explain_throttling(throttling(moments) or 0)
