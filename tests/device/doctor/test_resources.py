import pytest

from fer_edge.device.doctor.finding import Status
from fer_edge.device.doctor.resources import check_disk, check_memory, check_time


def meminfo(available, swap=0):
    return (
        f"MemTotal:        4000000 kB\nMemFree:          100000 kB\nMemAvailable:    {available} kB\n"
        f"SwapTotal:        {swap} kB\nHugePages_Total:       0\n"
    )


def test_memory(machine):
    assert check_memory(machine.system).status is Status.UNKNOWN
    machine.file("/proc/meminfo", meminfo(2_000_000, 204_800))
    finding = check_memory(machine.system)
    assert finding.status is Status.OK
    assert finding.found == "1953 of 3906 MB available, 200 MB of swap"


def test_little_memory(machine):
    machine.file("/proc/meminfo", meminfo(150_000))
    finding = check_memory(machine.system)
    assert finding.status is Status.WARNING
    assert "no swap" in finding.found
    assert "--sort=-rss" in finding.advice


def df(available, name="/dev/mmcblk0p2", mount="/"):
    lines = "Filesystem 1024-blocks Used Available Capacity Mounted on", f"{name} 30000000 100 {available} 50% {mount}"
    return "\n".join(f"echo '{line}'" for line in lines)


@pytest.mark.parametrize(
    ("available", "status", "found"),
    [
        (20 << 20, Status.OK, "20 GB free"),
        (5 << 20, Status.OK, "5120 MB free"),
        (500 << 10, Status.WARNING, "500 MB free"),
        (9 << 10, Status.PROBLEM, "9 MB free"),
        (0, Status.PROBLEM, "0 MB free"),
    ],
)
def test_disk(machine, available, status, found):
    machine.program("df", df(available))
    finding = check_disk(machine.system)
    assert (finding.status, finding.found) == (status, found)
    assert ("apt clean" in finding.advice) == (status is not Status.OK)
    machine.program("df", df(available, "//server/my share", "/mnt/a b 7"))
    assert check_disk(machine.system) == finding


def test_disk_of_this_machine(machine):
    machine.environ["PATH"] += ":/bin:/usr/bin"
    assert check_disk(machine.system).found.endswith(" free")


@pytest.mark.parametrize("script", ["exit 1", "echo 'Filesystem 1024-blocks'", "echo nonsense 1 2 x%"])
def test_disk_that_df_does_not_know(machine, script):
    assert check_disk(machine.system).status is Status.UNKNOWN
    machine.program("df", script)
    assert check_disk(machine.system).status is Status.UNKNOWN


def test_a_folder_that_cannot_be_written_to(machine):
    machine.work.rmdir()
    finding = check_disk(machine.system)
    assert finding.status is Status.WARNING
    assert finding.found == "outputs cannot be written to the current folder (No such file or directory)"
    assert finding.advice.endswith("cd ~")


@pytest.mark.parametrize(
    ("script", "status", "advice"),
    [
        ("[ \"$*\" = 'show -p NTPSynchronized --value' ] && echo yes", Status.OK, ""),
        ("echo no", Status.WARNING, "sudo timedatectl set-ntp true"),
        ("echo 'System has not been booted with systemd' >&2; exit 1", Status.UNKNOWN, ""),
    ],
)
def test_time(machine, script, status, advice):
    assert check_time(machine.system).status is Status.UNKNOWN
    machine.program("timedatectl", script)
    finding = check_time(machine.system)
    assert (finding.status, finding.advice) == (status, advice)
