"""The virtual Raspberry Pis, made when the first test asks for one."""

import subprocess
from pathlib import Path

import pytest

from tests.pi.machine import SCRIPT, Machine

BOARDS = {
    # One board and one system of each kind: Pi 3, 4 and 5 have processors with different instructions.
    "pi3-os12": ("pi12", "cortex-a53"),
    "pi4-os12": ("pi12", "cortex-a72"),
    "pi5-os13": ("pi13", "cortex-a76"),
}


@pytest.fixture(scope="session")
def machines():
    """Make or update the machines; return the folder that holds them. Skips where this machine cannot."""
    missing = subprocess.run([SCRIPT, "missing"], capture_output=True, text=True, check=False)
    if missing.returncode:
        pytest.skip("; ".join(missing.stderr.splitlines()))
    made = subprocess.run([SCRIPT, "prepare"], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return Path(subprocess.run([SCRIPT, "where"], capture_output=True, text=True, check=True).stdout.strip())


@pytest.fixture(scope="session", params=["pi12", "pi13"])
def system(machines, request):
    """Raspberry Pi OS 12 and 13, each on the board that it is most likely on."""
    return Machine(request.param, machines / request.param, {"pi12": "cortex-a72", "pi13": "cortex-a76"}[request.param])


@pytest.fixture(scope="session", params=BOARDS)
def board(machines, request):
    """Each processor of a Raspberry Pi 3, 4 or 5."""
    name, processor = BOARDS[request.param]
    return Machine(name, machines / name, processor)
