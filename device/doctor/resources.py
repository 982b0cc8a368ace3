"""Checks of memory, disk and the clock of the day."""

from __future__ import annotations

import re
import tempfile

from fer_edge.device.doctor.finding import Finding, Status
from fer_edge.device.doctor.system import System

LITTLE_MEMORY = 200
"""MB that should be available; the device loop takes about 100."""

LITTLE_DISK, NO_DISK = 1024, 10
"""MB: below the first it will soon be full, below the second it is."""


def check_memory(system: System) -> Finding:
    """See whether there is memory for the device loop."""
    text = system.read("/proc/meminfo") or ""
    sizes = {key: int(size) // 1024 for key, size in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)}
    if "MemTotal" not in sizes or "MemAvailable" not in sizes:
        return Finding("memory", Status.UNKNOWN, "/proc/meminfo does not tell it")
    swap = f"{sizes['SwapTotal']} MB of swap" if sizes.get("SwapTotal") else "no swap"
    found = f"{sizes['MemAvailable']} of {sizes['MemTotal']} MB available, {swap}"
    if sizes["MemAvailable"] < LITTLE_MEMORY:
        return Finding(
            "memory",
            Status.WARNING,
            f"{found}; the device loop takes about 100 MB",
            "close what takes most: ps -eo rss,comm --sort=-rss | head",
        )
    return Finding("memory", Status.OK, found)


def check_disk(system: System) -> Finding:
    """See whether outputs can be written to the current folder and there is room for them."""
    try:
        with tempfile.TemporaryFile(dir=system.folder):
            pass
    except OSError as error:
        return Finding(
            "disk",
            Status.WARNING,
            f"outputs cannot be written to the current folder ({error.strerror})",
            "change to a folder of your own: cd ~",
        )
    ran = system.run("df", "-Pk", str(system.folder))
    # POSIX: name, total, used, available, percentage, mount point; names and mount points may contain spaces.
    match = re.search(r"\s\d+\s+\d+\s+(\d+)\s+\d+%\s", ran.out) if ran else None
    if not match:
        return Finding("disk", Status.UNKNOWN, "df does not tell how much is free")
    free = int(match[1]) // 1024
    found = f"{free} MB free" if free < 10 * 1024 else f"{free / 1024:.0f} GB free"
    if free < LITTLE_DISK:
        status = Status.PROBLEM if free < NO_DISK else Status.WARNING
        return Finding("disk", status, found, "sudo apt clean, then delete what takes most: du -xh ~ | sort -h | tail")
    return Finding("disk", Status.OK, found)


def check_time(system: System) -> Finding:
    """See whether the network sets the time, which a Raspberry Pi forgets without power (the 5 without its battery)."""
    name = "time"
    ran = system.run("timedatectl", "show", "-p", "NTPSynchronized", "--value")
    answer = ran.out.strip() if ran else ""
    if answer == "yes":
        return Finding(name, Status.OK, "synchronized")
    if answer == "no":
        return Finding(
            name,
            Status.WARNING,
            "not synchronized, so that dates in files and logs may be wrong",
            "sudo timedatectl set-ntp true",
        )
    return Finding(name, Status.UNKNOWN, "timedatectl does not tell whether it is synchronized")
