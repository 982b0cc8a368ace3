import venv
from pathlib import Path

import pytest

from fer_edge.device.doctor.finding import Status
from fer_edge.device.doctor.interpreter import check_architecture, check_environment, check_python


@pytest.mark.parametrize("version", [(3, 11, 2), (3, 12, 0), (3, 13, 5)])
def test_a_tested_python(machine, version):
    machine.set_python(version=version)
    finding = check_python(machine.system)
    assert (finding.status, finding.found) == (Status.OK, ".".join(map(str, version)))


@pytest.mark.parametrize(
    ("version", "status", "advice"),
    [((3, 9, 2), Status.PROBLEM, "Imager"), ((3, 14, 0), Status.WARNING, "python3.13 -m venv")],
)
def test_another_python(machine, version, status, advice):
    machine.set_python(version=version)
    finding = check_python(machine.system)
    assert finding.status is status
    assert advice in finding.advice


@pytest.mark.parametrize("architecture", ["aarch64", "x86_64"])
def test_an_architecture_with_a_runtime(machine, architecture):
    machine.set_python(bits=64, machine=architecture)
    assert check_architecture(machine.system).status is Status.OK


def test_a_32_bit_system_on_a_64_bit_kernel(machine):
    machine.set_python(bits=32, machine="aarch64")
    finding = check_architecture(machine.system)
    assert finding.status is Status.PROBLEM
    assert "32-bit Python on aarch64" in finding.found
    assert "64-bit Raspberry Pi OS" in finding.advice


def test_an_architecture_without_a_runtime(machine):
    machine.set_python(bits=64, machine="riscv64")
    assert check_architecture(machine.system).status is Status.PROBLEM


@pytest.fixture
def environment(machine, tmp_path):
    """A virtual environment in which fer-edge runs on the machine."""

    def make(**settings):
        folder = tmp_path / "environment"
        venv.create(folder, **settings)
        machine.set_python(prefix=folder, base_prefix=Path("/usr"))
        return folder

    return make


def test_outside_of_an_environment(machine, tmp_path):
    machine.set_python(prefix=Path("/usr"), base_prefix=Path("/usr"), stdlib=tmp_path)
    assert check_environment(machine.system, None).status is Status.OK
    (tmp_path / "EXTERNALLY-MANAGED").touch()
    finding = check_environment(machine.system, None)
    assert finding.status is Status.WARNING
    assert finding.advice == "python3 -m venv --system-site-packages ~/fer-edge-venv"


def test_an_environment_without_picamera2_on_the_machine(machine, environment):
    environment()
    assert check_environment(machine.system, None).status is Status.OK


@pytest.mark.parametrize(
    ("source", "status"), [(None, Status.WARNING), ("picamera2", Status.PROBLEM), ("0", Status.OK), ("demo", Status.OK)]
)
def test_an_environment_that_hides_picamera2(machine, environment, source, status):
    machine.file("/usr/lib/python3/dist-packages/picamera2/__init__.py")
    folder = environment()
    finding = check_environment(machine.system, source)
    assert finding.status is status
    if status is not Status.OK:
        assert finding.advice == f"/usr/bin/python3 -m venv --system-site-packages {folder}"


def test_the_advice_mends_the_environment(machine, environment):
    machine.file("/usr/lib/python3/dist-packages/picamera2/__init__.py")
    folder = environment()
    (folder / "kept").touch()
    environment(system_site_packages=True)  # what the advice does: the same folder once more
    finding = check_environment(machine.system, "picamera2")
    assert (finding.status, finding.advice) == (Status.OK, "")
    assert "sees the system's packages" in finding.found
    assert (folder / "kept").exists()
