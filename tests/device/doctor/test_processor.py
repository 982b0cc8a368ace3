import pytest

from fer_edge.device.doctor.finding import Status
from fer_edge.device.doctor.processor import CPUFREQ, check_clock, check_dot_product

# The lists that Linux shows for a Cortex-A76 (Raspberry Pi 5) and a Cortex-A72 (Raspberry Pi 4).
A76 = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
A72 = "fp asimd evtstrm crc32 cpuid"


def cpuinfo(*features):
    return "\n".join(f"processor\t: {core}\nFeatures\t: {each}\n" for core, each in enumerate(features))


def test_dot_product_instructions(machine):
    machine.set_python(machine="aarch64")
    machine.file("/proc/cpuinfo", cpuinfo(A76, A76))
    finding = check_dot_product(machine.system)
    assert finding.status is Status.OK
    assert finding.found.startswith("dot product")


@pytest.mark.parametrize("features", [(A72, A72), (A76, A72)])
def test_no_dot_product_instructions_is_no_fault(machine, features):
    machine.set_python(machine="aarch64")
    machine.file("/proc/cpuinfo", cpuinfo(*features))
    finding = check_dot_product(machine.system)
    assert finding.status is Status.OK
    assert finding.found.startswith("no dot product")


def test_dot_product_instructions_where_they_mean_nothing(machine):
    machine.set_python(machine="x86_64")
    assert check_dot_product(machine.system).found == "does not apply to x86_64"
    machine.set_python(machine="aarch64")
    finding = check_dot_product(machine.system)
    assert finding.status is Status.UNKNOWN
    assert "/proc/cpuinfo" in finding.found


@pytest.fixture
def clock(machine):
    def check(governor, driver="cpufreq-dt", current="1500000", allowed="1800000", maximum="1800000"):
        for name, text in {
            "scaling_governor": governor, "scaling_driver": driver, "scaling_cur_freq": current,
            "scaling_max_freq": allowed, "cpuinfo_max_freq": maximum,
        }.items():  # fmt: skip
            machine.file(f"{CPUFREQ}/{name}", f"{text}\n")
        return check_clock(machine.system)

    return check


def test_governors_that_follow_the_load(clock):
    finding = clock("ondemand")
    assert finding.status is Status.OK
    assert finding.found.startswith("ondemand, 1500 of 1800 MHz: follows the load")
    assert finding.advice.endswith("echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor")
    assert clock("powersave", driver="intel_pstate").status is Status.OK


def test_full_speed(clock):
    finding = clock("performance", current="1800000")
    assert (finding.status, finding.advice) == (Status.OK, "")


def test_lowest_speed(clock):
    finding = clock("powersave", current="600000")
    assert finding.status is Status.WARNING
    assert "echo ondemand" in finding.advice


def test_a_limit_below_the_maximum(clock):
    finding = clock("ondemand", allowed="1000000")
    assert finding.status is Status.WARNING
    assert "limited to 1000 MHz" in finding.found
    assert finding.advice.startswith("echo 1800000 | sudo tee")


def test_no_governor_and_odd_figures(machine, clock):
    assert check_clock(machine.system).status is Status.UNKNOWN
    finding = clock("schedutil", current="<unknown>", allowed="", maximum="")
    assert finding.found.startswith("schedutil, ? of ? MHz")
