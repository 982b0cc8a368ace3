"""Checks that the configurations of all packages share; each names the setting at fault."""

from __future__ import annotations

import os
from collections.abc import Sequence

from fer_edge.errors import ConfigError

MAX_THREADS = 64
"""Threads of an interpreter; more than any board has, and more only makes TFLite slower."""


def check_count(option: str, value: object, least: int, most: int | None = None) -> None:
    """Raise ConfigError unless `value` is a whole number from `least` to `most`."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= least and (most is None or value <= most):
        return
    span = f"of at least {least}" if most is None else f"from {least} to {most}"
    raise ConfigError(option, f"`{option}`: expected a whole number {span}, found {value!r}")


def check_choice(option: str, value: object, choices: Sequence[str]) -> None:
    """Raise ConfigError unless `value` is one of `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise ConfigError(option, f"`{option}`: expected one of {', '.join(choices)}, found {value!r}")


def check_type(option: str, value: object, expected: str, *types: type) -> None:
    """Raise ConfigError unless `value` is None or of one of `types`, which `expected` names."""
    if value is not None and not isinstance(value, types):
        raise ConfigError(option, f"`{option}`: expected {expected}, found {type(value).__name__}")


def check_path(option: str, value: object) -> None:
    """Raise ConfigError unless `value` is a path or None."""
    check_type(option, value, "a path", str, os.PathLike)
