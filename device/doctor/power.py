"""Checks of power supply and heat, which decide whether the processor may run at its full clock.

Bits and limits: Raspberry Pi documentation, "vcgencmd: get_throttled" (computers/os.html) and "Frequency
management and thermal control" (computers/raspberry-pi.html).
"""

from __future__ import annotations

import re

from fer_edge.device.doctor.finding import Finding, Status
from fer_edge.device.doctor.system import Ran, System

UNDER_VOLTAGE, CAPPED, THROTTLED, SOFT_LIMIT = 0x1, 0x2, 0x4, 0x8
"""What is so now; the same bits 16 places higher: it was so at some time since the start."""

MEANINGS = {
    UNDER_VOLTAGE: "under-voltage (below 4.63 V)",
    CAPPED: "arm frequency capped",
    THROTTLED: "throttled",
    SOFT_LIMIT: "soft temperature limit (60 °C on a 3B+, which then runs at 1.2 GHz)",
}

SINCE_START = 16

GET_THROTTLED = ("vcgencmd", "get_throttled")

THERMAL = "/sys/class/thermal"

POWER = "use the official power supply for this board and its own cable"
COOLING = "cool the board with a heat sink or a fan, and leave air around it"

HOT, TOO_HOT = 70.0, 80.0
"""Degrees Celsius: above the second a Raspberry Pi slows its cores down; ten degrees before, it will soon."""


def check_throttling(system: System) -> Finding:
    """See whether the processor is held back now."""
    name = "throttling now"
    bits = _throttled(system, name)
    if isinstance(bits, Finding):
        return bits
    now = bits & 0xF
    if not now:
        return Finding(name, Status.OK, "none")
    # Full speed at the soft limit is still most of it; the others mean that figures taken now are worthless.
    status = Status.WARNING if now == SOFT_LIMIT else Status.PROBLEM
    return Finding(name, status, explain_throttling(now), _advise(now))


def check_throttling_since_start(system: System) -> Finding:
    """See whether the processor was held back at some time since the start."""
    name = "throttling before"
    bits = _throttled(system, name)
    if isinstance(bits, Finding):
        return bits
    before = bits >> SINCE_START & 0xF
    if not before:
        return Finding(name, Status.OK, "none since the start")
    return Finding(name, Status.WARNING, f"since the start: {explain_throttling(before)}", _advise(before))


def check_temperature(system: System) -> Finding:
    """Read how hot the processor is."""
    name = "temperature"
    celsius = read_temperature(system)
    if celsius is None:
        return Finding(name, Status.UNKNOWN, "neither vcgencmd nor /sys/class/thermal tells it")
    found = f"{celsius:.0f} °C"
    if not system.is_raspberry_pi or celsius < HOT:
        return Finding(name, Status.OK, found)
    if celsius < TOO_HOT:
        return Finding(name, Status.WARNING, f"{found}; from {TOO_HOT:.0f} °C on the cores slow down", COOLING)
    return Finding(name, Status.PROBLEM, f"{found}; the cores slow down from {TOO_HOT:.0f} °C on", COOLING)


def _throttled(system: System, name: str) -> int | Finding:
    ran = system.run(*GET_THROTTLED)
    if ran is None:
        if system.is_raspberry_pi:
            return Finding(name, Status.UNKNOWN, "vcgencmd is not installed", "sudo apt install raspi-utils")
        return Finding(name, Status.UNKNOWN, "does not apply: not a Raspberry Pi")
    bits = _parse_throttled(ran)
    if bits is None:
        said = (ran.err + ran.out).strip().splitlines() or ["no answer"]
        return Finding(
            name,
            Status.UNKNOWN,
            f"vcgencmd fails: {said[0]}",
            "sudo usermod -aG video $USER, then log in again",
        )
    return bits


def read_throttled(system: System) -> int | None:
    """Return the bits of ``vcgencmd get_throttled``; None where they cannot be had."""
    ran = system.run(*GET_THROTTLED)
    return _parse_throttled(ran) if ran else None


def _parse_throttled(ran: Ran) -> int | None:
    match = re.search(r"throttled=0x([0-9a-fA-F]+)", ran.out)
    return int(match[1], 16) if match and ran.status == 0 else None


def explain_throttling(bits: int) -> str:
    """Name the lower four bits that are set."""
    return ", ".join(meaning for bit, meaning in MEANINGS.items() if bits & bit)


def _advise(bits: int) -> str:
    # A weak supply alone sets the other bits as well, so it comes first.
    return POWER if bits & UNDER_VOLTAGE else COOLING


def read_temperature(system: System) -> float | None:
    """Return the processor's temperature in degrees Celsius; None where nothing tells it."""
    ran = system.run("vcgencmd", "measure_temp")
    if ran and (match := re.search(r"temp=(-?[0-9.]+)", ran.out)):
        return float(match[1])
    # A Raspberry Pi has one zone; elsewhere the processor's is not always the first.
    folders = sorted(path.name for path in system.path(THERMAL).glob("thermal_zone*"))
    folders.sort(key=lambda zone: not re.search("cpu|pkg|soc", system.read(f"{THERMAL}/{zone}/type") or ""))
    for zone in folders:
        if re.fullmatch(r"-?\d+", text := system.read(f"{THERMAL}/{zone}/temp") or ""):
            return int(text) / 1000
    return None
