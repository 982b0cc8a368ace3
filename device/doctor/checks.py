"""All checks, in the order in which they are read."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

from fer_edge.device.doctor.board import check_board, check_os
from fer_edge.device.doctor.camera import check_camera
from fer_edge.device.doctor.finding import Finding, Status
from fer_edge.device.doctor.interpreter import check_architecture, check_environment, check_python
from fer_edge.device.doctor.model import check_inference, check_model
from fer_edge.device.doctor.packages import check_cascade, check_numpy, check_opencv, check_runtime, find_installed
from fer_edge.device.doctor.power import check_temperature, check_throttling, check_throttling_since_start
from fer_edge.device.doctor.processor import check_clock, check_dot_product
from fer_edge.device.doctor.resources import check_disk, check_memory, check_time
from fer_edge.device.doctor.system import System

Check = Callable[[], Finding]


def all_checks(system: System, model: Path | None, source: str | None) -> dict[str, Check]:
    """Return the checks by name.

    Args:
        system: the machine.
        model: the model file; None if there is none.
        source: a ``--source`` value; None is what ``fer-edge run`` would choose.
    """
    installed = functools.cache(lambda: find_installed(system))
    return {
        "board": lambda: check_board(system),
        "operating system": lambda: check_os(system),
        "architecture": lambda: check_architecture(system),
        "Python": lambda: check_python(system),
        "environment": lambda: check_environment(system, source),
        "numpy": lambda: check_numpy(system, installed()),
        "OpenCV": lambda: check_opencv(system, installed()),
        "face cascade": lambda: check_cascade(system),
        "TFLite runtime": lambda: check_runtime(system, installed()),
        "model": lambda: check_model(system, model),
        "inference": lambda: check_inference(system, model),
        "camera": lambda: check_camera(system, source),
        "int8 instructions": lambda: check_dot_product(system),
        "processor clock": lambda: check_clock(system),
        "throttling now": lambda: check_throttling(system),
        "throttling before": lambda: check_throttling_since_start(system),
        "temperature": lambda: check_temperature(system),
        "memory": lambda: check_memory(system),
        "disk": lambda: check_disk(system),
        "time": lambda: check_time(system),
    }


def examine(checks: dict[str, Check]) -> Iterator[Finding]:
    """Make one check after the other; one that fails itself says so and does not keep the others from their work."""
    for name, check in checks.items():
        try:
            yield check()
        except Exception as error:  # doctor is run where something is wrong; it must not be what breaks
            yield Finding(
                name,
                Status.UNKNOWN,
                f"the check itself failed: {type(error).__name__}: {' '.join(str(error).split())}",
                "report this line as a bug of fer-edge doctor",
            )
