"""Checks of the Python that runs fer-edge."""

from __future__ import annotations

from fer_edge.device.doctor.finding import Finding, Status
from fer_edge.device.doctor.system import System

OLDEST, NEWEST = (3, 11), (3, 13)
"""Pythons that fer-edge is tested with; those of Raspberry Pi OS 12 and 13 are the ends."""

ARCHITECTURES = ("aarch64", "arm64", "x86_64", "AMD64")
"""Where there are builds of the TFLite runtime."""

SYSTEM_PACKAGES = "/usr/lib/python3/dist-packages"
"""Where Debian's packages, such as python3-picamera2, put their modules."""

IMAGER = "write the 64-bit Raspberry Pi OS 13 to the card with Raspberry Pi Imager"


def check_python(system: System) -> Finding:
    """See whether fer-edge is tested with this Python."""
    version = system.python.version
    found = ".".join(map(str, version))
    if version[:2] < OLDEST:
        return Finding("Python", Status.PROBLEM, f"{found}, which is older than 3.11", IMAGER)
    if version[:2] > NEWEST:
        make = "make the environment with an older one: python3.13 -m venv ~/fer-edge-venv"
        return Finding("Python", Status.WARNING, f"{found}, which is newer than the tested 3.11 to 3.13", make)
    return Finding("Python", Status.OK, found)


def check_architecture(system: System) -> Finding:
    """See whether there are builds of the TFLite runtime for this Python.

    Pointers decide, not the kernel: the 32-bit Raspberry Pi OS runs on a 64-bit kernel.
    """
    python = system.python
    found = f"{python.bits}-bit Python on {python.machine}"
    if python.bits < 64:
        return Finding(
            "architecture", Status.PROBLEM, f"{found}; the TFLite runtime exists for 64-bit systems only", IMAGER
        )
    if python.machine not in ARCHITECTURES:
        return Finding(
            "architecture",
            Status.PROBLEM,
            f"{found}; the TFLite runtime exists for aarch64 and x86_64",
            "use a Raspberry Pi 3, 4 or 5",
        )
    return Finding("architecture", Status.OK, found)


def check_environment(system: System, source: str | None) -> Finding:
    """See whether there is a virtual environment that sees picamera2 where that is the camera.

    Args:
        system: the machine.
        source: the ``--source`` asked about; None is picamera2 where it is visible, else a webcam.
    """
    name, python = "environment", system.python
    if python.prefix == python.base_prefix:
        if (python.stdlib / "EXTERNALLY-MANAGED").exists():
            return Finding(
                name,
                Status.WARNING,
                "the system's own Python, into which pip does not install (PEP 668)",
                "python3 -m venv --system-site-packages ~/fer-edge-venv",
            )
        return Finding(name, Status.OK, f"no virtual environment ({python.prefix})")
    settings = (python.prefix / "pyvenv.cfg").read_text().lower().replace(" ", "")
    if "include-system-site-packages=true" in settings:
        return Finding(name, Status.OK, f"{python.prefix}, sees the system's packages")
    if source in (None, "picamera2") and system.path(f"{SYSTEM_PACKAGES}/picamera2").exists():
        return Finding(
            name,
            Status.PROBLEM if source else Status.WARNING,
            f"{python.prefix} does not see the system's packages, and so not picamera2",
            f"{python.base_prefix}/bin/python3 -m venv --system-site-packages {python.prefix}",
        )
    return Finding(name, Status.OK, f"{python.prefix}, without the system's packages")
