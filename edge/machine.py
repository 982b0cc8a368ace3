"""What a number was measured on: machine, processor, versions. Goes into every result and run card."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "fer-edge",
    "numpy",
    "opencv-python-headless",
    "opencv-python",
    "ai-edge-litert",
    "tflite-runtime",
    "tensorflow",
    "keras",
    "jax",
    "torch",
)


def package_versions() -> dict[str, str]:
    """Return the versions of the installed packages that can change a result."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def command_line() -> str | None:
    """Return the command of this process as it can be repeated; None where a program called the library."""
    if Path(sys.argv[0]).name not in ("fer-edge", "__main__.py"):
        return None
    return shlex.join(["fer-edge", *sys.argv[1:]])


def describe_machine() -> dict[str, Any]:
    """Return the machine as JSON-ready facts.

    `board` is the device tree's model and present on boards such as a Raspberry Pi only, so that a
    workstation's numbers are never taken for a Pi's.
    """
    return {
        "architecture": platform.machine(),
        "board": _first_line(Path("/proc/device-tree/model")).rstrip("\0") or None,
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": _system(),
        "python": platform.python_version(),
        "versions": package_versions(),
    }


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _processor() -> str:
    for line in _lines(Path("/proc/cpuinfo")):
        if line.lower().startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def _first_line(path: Path) -> str:
    lines = _lines(path)
    return lines[0] if lines else ""


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []
