import dataclasses

import pytest

from fer_edge.device.bench.conditions import Conditions, Moment, machine_kind, throttling
from fer_edge.device.doctor.processor import CPUFREQ
from fer_edge.device.doctor.system import System
from fer_edge.errors import ModelFileError
from fer_edge.machine import describe_machine
from fer_edge.model_file import file_hash
from tests.device.doctor.conftest import PI_4, Machine

UNKNOWN = Moment(None, None, None, None, None, None, 0.0, None)


def moments(*bits):
    return [dataclasses.replace(UNKNOWN, throttled=each) for each in bits]


@pytest.mark.parametrize(
    ("bits", "held"),
    [
        ((None, None), None),
        ((0x0, 0x0), 0x0),
        ((0x4, 0x0), 0x4),
        ((0x0, 0x1, 0x0), 0x1),
        ((0x0, 0x50000), 0x5),
        ((0x50000, 0x50000), 0x0),
        ((0x50000, 0x70000), 0x2),
        ((None, 0x40000, 0x40000), 0x0),
    ],
)
def test_throttling_during_the_measurement_and_not_before(bits, held):
    assert throttling(moments(*bits)) == held


@pytest.mark.parametrize(
    ("architecture", "board", "kind"),
    [
        ("aarch64", PI_4, "Raspberry Pi"),
        ("aarch64", "Orange Pi 5", "board"),
        ("aarch64", None, "other"),
        ("x86_64", None, "workstation"),
        ("x86_64", PI_4, "workstation"),
    ],
)
def test_kinds_of_machines(architecture, board, kind):
    assert machine_kind({"architecture": architecture, "board": board}) == kind


def test_a_moment_on_a_raspberry_pi(tmp_path):
    machine = Machine(tmp_path)
    machine.board(PI_4)
    machine.program("vcgencmd", 'case "$1" in get_throttled) echo throttled=0x50005;; *) echo "temp=61.3\'C";; esac')
    for name, text in {
        "scaling_governor": "ondemand", "scaling_cur_freq": "1500000",
        "scaling_max_freq": "1500000", "cpuinfo_max_freq": "1800000",
    }.items():  # fmt: skip
        machine.file(f"{CPUFREQ}/{name}", text)
    machine.file("/proc/self/status", "Name:\tpython\nVmRSS:\t  98304 kB\n")
    moment = Moment.now(machine.system)
    assert (moment.temperature_c, moment.throttled, moment.governor) == (61.3, 0x50005, "ondemand")
    assert (moment.clock_mhz, moment.limit_mhz, moment.maximum_mhz) == (1500, 1500, 1800)
    assert moment.resident_mb == 96.0


def test_a_moment_on_a_machine_that_tells_nothing(tmp_path):
    moment = Moment.now(Machine(tmp_path).system)
    assert dataclasses.replace(moment, load_average=0.0) == UNKNOWN
    assert moment.load_average >= 0


def test_the_memory_of_this_process():
    resident = Moment.now(System.here()).resident_mb
    assert 20 < resident < 10_000
    block = bytearray(b"x" * 30 * 1024**2)
    assert 25 < Moment.now(System.here()).resident_mb - resident < 40
    del block


def test_conditions_of_this_machine(model_path):
    conditions = Conditions.now(model_path)
    machine = describe_machine()
    assert conditions.machine == {"kind": machine_kind(machine), **machine}
    assert conditions.model["sha256"] == file_hash(model_path)
    assert conditions.model["bytes"] == model_path.stat().st_size
    assert conditions.date.endswith("+00:00")
    assert conditions.cores >= 1


def test_conditions_refuse_another_kind_of_file(tmp_path):
    file = tmp_path / "text.tflite"
    file.write_text("hello")
    with pytest.raises(ModelFileError, match="expected a TFLite model"):
        Conditions.now(file)
