"""What a check says."""

from __future__ import annotations

import dataclasses
from enum import StrEnum


class Status(StrEnum):
    """How a thing is; only `PROBLEM` means that the device is not ready."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNKNOWN = "unknown"  # could not be found out, or does not apply to this machine


@dataclasses.dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        name: what was checked, such as ``numpy``.
        status: how it is.
        found: one sentence without a full stop.
        advice: the one command or action that mends it; empty where there is nothing to do.
    """

    name: str
    status: Status
    found: str
    advice: str = ""


def split_advice(message: str) -> tuple[str, str]:
    """Split the text of a `FerEdgeError`, which ends with what to do behind a semicolon, into found and advice."""
    found, separator, advice = message.rpartition("; ")
    return (found, advice) if separator else (message, "")
