import pytest

from fer_edge.device.doctor.finding import Status
from fer_edge.device.doctor.power import (
    COOLING,
    POWER,
    check_temperature,
    check_throttling,
    check_throttling_since_start,
)
from tests.device.doctor.conftest import PI_4

# Raspberry Pi documentation, vcgencmd get_throttled: bit, what it means, what mends it.
BITS = [
    (0, "under-voltage", POWER, Status.PROBLEM),
    (1, "arm frequency capped", COOLING, Status.PROBLEM),
    (2, "throttled", COOLING, Status.PROBLEM),
    (3, "soft temperature limit", COOLING, Status.WARNING),
]


@pytest.fixture
def pi(machine):
    machine.board(PI_4)

    def answer(bits):
        machine.program("vcgencmd", f'[ "$1" = get_throttled ] && echo throttled=0x{bits:x}')
        return check_throttling(machine.system), check_throttling_since_start(machine.system)

    return answer


def test_no_throttling(pi):
    now, before = pi(0)
    assert (now.status, before.status) == (Status.OK, Status.OK)


@pytest.mark.parametrize(("bit", "meaning", "advice", "status"), BITS)
def test_throttling_now(pi, bit, meaning, advice, status):
    now, before = pi(1 << bit)
    assert (now.status, before.status) == (status, Status.OK)
    assert now.found.startswith(meaning)
    assert now.advice == advice


@pytest.mark.parametrize(("bit", "meaning", "advice", "status"), BITS)
def test_throttling_since_the_start(pi, bit, meaning, advice, status):
    now, before = pi(1 << bit + 16)
    assert (now.status, before.status) == (Status.OK, Status.WARNING)
    assert before.found.startswith(f"since the start: {meaning}")
    assert before.advice == advice


def test_a_weak_supply_comes_before_what_follows_from_it(pi):
    now, before = pi(0x50005)
    assert now.found == "under-voltage (below 4.63 V), throttled"
    assert now.advice == before.advice == POWER
    # Bits that mean nothing yet are not taken for one that does.
    assert pi(0xF00FFF0)[0].status is Status.OK


def test_throttling_that_cannot_be_asked_for(machine):
    finding = check_throttling(machine.system)
    assert finding.status is Status.UNKNOWN
    assert "not a Raspberry Pi" in finding.found
    machine.board(PI_4)
    finding = check_throttling(machine.system)
    assert (finding.status, finding.advice) == (Status.UNKNOWN, "sudo apt install raspi-utils")
    machine.program("vcgencmd", "echo 'VCHI initialization failed' >&2; exit 255")
    finding = check_throttling_since_start(machine.system)
    assert finding.status is Status.UNKNOWN
    assert finding.found == "vcgencmd fails: VCHI initialization failed"
    assert "usermod -aG video" in finding.advice
    machine.program("vcgencmd", "exit 0")
    assert check_throttling(machine.system).found == "vcgencmd fails: no answer"


@pytest.mark.parametrize(
    ("celsius", "status"), [("48.3", Status.OK), ("71.9", Status.WARNING), ("80.0", Status.PROBLEM)]
)
def test_temperature(machine, celsius, status):
    machine.board(PI_4)
    machine.program("vcgencmd", f'[ "$1" = measure_temp ] && echo "temp={celsius}\'C"')
    finding = check_temperature(machine.system)
    assert finding.status is status
    assert finding.found.startswith(f"{float(celsius):.0f} °C")
    assert finding.advice == ("" if status is Status.OK else COOLING)


def test_temperature_from_the_kernel(machine):
    assert check_temperature(machine.system).status is Status.UNKNOWN
    machine.file("/sys/class/thermal/thermal_zone0/type", "nvme\n")
    machine.file("/sys/class/thermal/thermal_zone0/temp", "31000\n")
    machine.file("/sys/class/thermal/thermal_zone00/type", "cpu-idle\n")  # a zone that is switched off tells nothing
    machine.file("/sys/class/thermal/thermal_zone1/type", "x86_pkg_temp\n")
    machine.file("/sys/class/thermal/thermal_zone1/temp", "91500\n")
    finding = check_temperature(machine.system)
    # Another processor's limits are not a Raspberry Pi's.
    assert (finding.status, finding.found) == (Status.OK, "92 °C")
    machine.board(PI_4)
    assert check_temperature(machine.system).status is Status.PROBLEM
