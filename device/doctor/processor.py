"""Checks of the processor: its int8 instructions and its clock."""

from __future__ import annotations

from fer_edge.device.doctor.finding import Finding, Status
from fer_edge.device.doctor.system import System

CPUFREQ = "/sys/devices/system/cpu/cpu0/cpufreq"

EVERY_CORE = "/sys/devices/system/cpu/cpu*/cpufreq"

SELF_SCALING = ("intel_pstate", "amd-pstate-epp")
"""Drivers whose ``powersave`` follows the load, as ``ondemand`` does elsewhere (Linux, admin-guide/pm)."""


def check_dot_product(system: System) -> Finding:
    """See whether the processor has the int8 dot product: SDOT of Armv8.2, which Linux calls ``asimddp``."""
    name = "int8 instructions"
    if system.python.machine not in ("aarch64", "arm64"):
        return Finding(name, Status.UNKNOWN, f"does not apply to {system.python.machine}")
    text = system.read("/proc/cpuinfo") or ""
    features = [line.partition(":")[2].split() for line in text.splitlines() if line.startswith("Features")]
    if not features:
        return Finding(name, Status.UNKNOWN, "/proc/cpuinfo does not list the processor's features")
    if all("asimddp" in each for each in features):
        return Finding(name, Status.OK, "dot product (asimddp), as on a Raspberry Pi 5")
    return Finding(
        name,
        Status.OK,
        "no dot product (asimddp), as on a Raspberry Pi 3 or 4: an inference takes up to three times the instructions",
    )


def check_clock(system: System) -> Finding:
    """Name the governor that sets the clock, and see how fast it lets the processor run."""
    name = "processor clock"
    governor = read_governor(system)
    if not governor:
        return Finding(name, Status.UNKNOWN, "the kernel shows no governor, as in a virtual machine")
    current, allowed, maximum = (
        read_megahertz(system, file) for file in ("scaling_cur_freq", "scaling_max_freq", "cpuinfo_max_freq")
    )
    found = f"{governor}, {current or '?'} of {maximum or '?'} MHz"
    if allowed and maximum and allowed < maximum:
        return Finding(
            name,
            Status.WARNING,
            f"{found}, limited to {allowed} MHz",
            f"echo {maximum}000 | sudo tee {EVERY_CORE}/scaling_max_freq",
        )
    follows_load = system.read(f"{CPUFREQ}/scaling_driver") in SELF_SCALING
    if governor == "powersave" and not follows_load:
        return Finding(
            name,
            Status.WARNING,
            f"{found}: the clock stays at its lowest",
            f"echo ondemand | sudo tee {EVERY_CORE}/scaling_governor",
        )
    if governor == "performance":
        return Finding(name, Status.OK, f"{found}: always at full speed, for steady latencies")
    return Finding(
        name,
        Status.OK,
        f"{found}: follows the load, so that the first pictures after a rest take longer",
        f"for steady latencies: echo performance | sudo tee {EVERY_CORE}/scaling_governor",
    )


def read_governor(system: System) -> str | None:
    """Return what sets the clock, such as ``ondemand``; None where the kernel shows no governor."""
    return system.read(f"{CPUFREQ}/scaling_governor") or None


def read_megahertz(system: System, file: str) -> int | None:
    """Return a frequency of the first core, such as that in ``scaling_cur_freq``; None where the kernel tells none."""
    text = system.read(f"{CPUFREQ}/{file}")
    return int(text) // 1000 if text and text.isdecimal() else None
