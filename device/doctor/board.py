"""Checks of the board and its operating system."""

from __future__ import annotations

import re

from fer_edge.device.doctor.finding import Finding, Status
from fer_edge.device.doctor.interpreter import IMAGER
from fer_edge.device.doctor.system import System

ONLY_32_BIT = re.compile(
    r"Raspberry Pi (Model [AB]\b|Compute Module Rev|Zero (W )?Rev|2 Model B Rev 1\.[01]\b)", re.IGNORECASE
)
"""Boards whose ARM11 or Cortex-A7 has no 64-bit mode."""

SUPPORTED = {"12", "13"}
"""Versions of Raspberry Pi OS that fer-edge's pins of numpy and OpenCV are made for."""


def check_board(system: System) -> Finding:
    """Name the board, and see whether its processor is a 64-bit one."""
    board = system.board
    if not board:
        return Finding("board", Status.UNKNOWN, "not a Raspberry Pi: there is no device tree")
    if ONLY_32_BIT.match(board):
        return Finding(
            "board", Status.PROBLEM, f"{board}, whose processor is 32-bit", "use a Raspberry Pi 3, 4, 5 or Zero 2 W"
        )
    note = "" if system.is_raspberry_pi else ", which is not a Raspberry Pi"
    return Finding("board", Status.OK, board + note)


def check_os(system: System) -> Finding:
    """Name the operating system, and see whether it is a tested one where the board is a Raspberry Pi."""
    text = system.read("/etc/os-release")
    if not text:
        return Finding("operating system", Status.UNKNOWN, "there is no /etc/os-release")
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    fields = {key.strip(): value.strip().strip("\"'") for key, value in fields.items()}
    found = fields.get("PRETTY_NAME") or fields.get("ID") or "unnamed"
    fits = fields.get("ID") in ("debian", "raspbian") and fields.get("VERSION_ID") in SUPPORTED
    if system.is_raspberry_pi and not fits:
        return Finding(
            "operating system", Status.WARNING, f"{found}; tested are Raspberry Pi OS 12 and 13 (Debian's)", IMAGER
        )
    return Finding("operating system", Status.OK, found)
