"""The systemd unit of ``fer-edge run``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

ROOT = "@ROOT@"
"""Stands in the unit for the folder on the target, whose absolute path only the target knows."""


def unit_text(run_options: Sequence[str], model: str) -> str:
    """Return the unit, with `ROOT` for the folder on the target.

    Args:
        run_options: options of ``fer-edge run``.
        model: name of the model in the release, or an empty string for the one in the wheel.
    """
    words = [f"{ROOT}/current/venv/bin/fer-edge", "run"]
    if model:
        words += ["--model", f"{ROOT}/current/payload/{model}"]
    words += run_options
    command = " ".join(quote(word) for word in words)
    return resources.files(__package__).joinpath("fer-edge.service").read_text().replace("@RUN@", command)


def quote(word: str) -> str:
    """Quote one argument of ``ExecStart=``, where ``%`` and ``$`` are special (systemd.service(5), command lines)."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    plain = word and not set(word) & set(" \t'\";")
    return escaped if plain else f'"{escaped}"'
