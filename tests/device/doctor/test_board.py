import pytest

from fer_edge.device.doctor.board import check_board, check_os
from fer_edge.device.doctor.finding import Status
from tests.device.doctor.conftest import PI_4, PI_5


@pytest.mark.parametrize(
    "name", [PI_4, PI_5, "Raspberry Pi 3 Model B Plus Rev 1.3", "Raspberry Pi Zero 2 W Rev 1.0",
             "Raspberry Pi 2 Model B Rev 1.2", "Raspberry Pi Compute Module 4 Rev 1.0", "Raspberry Pi 400 Rev 1.0"]
)  # fmt: skip
def test_a_raspberry_pi(machine, name):
    machine.board(name)
    finding = check_board(machine.system)
    assert (finding.status, finding.found) == (Status.OK, name)


@pytest.mark.parametrize(
    "name", ["Raspberry Pi Model B Rev 2", "Raspberry Pi Model B Plus Rev 1.2", "Raspberry Pi Model A Plus Rev 1.1",
             "Raspberry Pi Zero W Rev 1.1", "Raspberry Pi Zero Rev 1.3", "Raspberry Pi 2 Model B Rev 1.1",
             "Raspberry Pi Compute Module Rev 1.0"]
)  # fmt: skip
def test_a_board_without_64_bit_mode(machine, name):
    machine.board(name)
    finding = check_board(machine.system)
    assert finding.status is Status.PROBLEM
    assert "Raspberry Pi 3, 4, 5" in finding.advice


def test_another_board_and_a_pc_are_no_raspberry_pi(machine):
    assert check_board(machine.system).status is Status.UNKNOWN
    machine.board("Radxa ROCK 5B")
    finding = check_board(machine.system)
    assert finding.status is Status.OK
    assert finding.found == "Radxa ROCK 5B, which is not a Raspberry Pi"


def os_release(identifier, version):
    return f'PRETTY_NAME="The {identifier} {version}"\nID={identifier}\nVERSION_ID="{version}"\n'


@pytest.mark.parametrize(
    ("identifier", "version", "on_pi", "elsewhere"),
    [
        ("debian", "12", Status.OK, Status.OK),
        ("debian", "13", Status.OK, Status.OK),
        ("raspbian", "12", Status.OK, Status.OK),
        ("debian", "11", Status.WARNING, Status.OK),
        ("ubuntu", "24.04", Status.WARNING, Status.OK),
    ],
)
def test_operating_systems(machine, identifier, version, on_pi, elsewhere):
    machine.file("/etc/os-release", os_release(identifier, version))
    finding = check_os(machine.system)
    assert finding.status is elsewhere
    assert finding.found == f"The {identifier} {version}"
    machine.board(PI_4)
    finding = check_os(machine.system)
    assert finding.status is on_pi
    assert ("Imager" in finding.advice) == (on_pi is Status.WARNING)


def test_an_unnamed_operating_system(machine):
    assert check_os(machine.system).status is Status.UNKNOWN
    machine.file("/etc/os-release", "not a list of settings")
    assert check_os(machine.system).found == "unnamed"
