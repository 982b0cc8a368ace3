import os
import socket

import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.device.service.watchdog import Watchdog


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """A service manager's socket; call it for the messages so far."""
    address = str(tmp_path / "notify") if request.param == "path" else f"@fer-edge-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(address.replace("@", "\0"))
        channel.setblocking(False)

        def messages():
            found = []
            while True:
                try:
                    found.append(channel.recv(100).decode())
                except BlockingIOError:
                    return found

        messages.address = address
        yield messages


def test_ready_once_then_signs_of_life_now_and_then(manager):
    now = 1000.0
    watchdog = Watchdog({"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "30000000"}, clock=lambda: now)
    assert manager() == []
    watchdog.beat()
    assert manager() == ["READY=1"]
    for _ in range(600):  # a minute at 10 pictures a second
        now += 0.1
        watchdog.count()
        watchdog.beat()
    signs = manager()
    assert set(signs) == {"WATCHDOG=1\nSTATUS=10.0 frames per second"}
    assert 4 <= len(signs) <= 8  # within 15 s each, and few
    watchdog.stopping()
    assert manager() == ["STOPPING=1"]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "9" * 5000},
        {"WATCHDOG_USEC": "\u00b2"},
        {"WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"},
    ],
)
def test_no_signs_of_life_that_nobody_waits_for(manager, environment):
    watchdog = Watchdog({"NOTIFY_SOCKET": manager.address, **environment}, clock=iter(range(10**6)).__next__)
    for _ in range(100):
        watchdog.beat()
    assert manager() == ["READY=1"]


@pytest.mark.parametrize("address", ["", "relative", "/no/such/socket", "@no-such-socket", "/" + "x" * 300, "@"])
def test_without_a_manager_nothing_happens(address):
    watchdog = Watchdog({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1"})
    watchdog.beat()
    watchdog.beat()
    watchdog.stopping()


def test_a_manager_that_does_not_read_does_not_stop_the_loop(tmp_path):
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(address)
        watchdog = Watchdog({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1"}, clock=iter(range(10**6)).__next__)
        for _ in range(5000):  # more than a socket holds
            watchdog.beat()


def test_reads_the_process_own_environment(manager, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    Watchdog().beat()
    assert manager() == ["READY=1"]


@pytest.mark.parametrize("source", ["demo", "demo:live"])
def test_run_is_up_with_its_first_frame_and_says_when_it_ends(manager, monkeypatch, source):
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    done = CliRunner().invoke(main, ["run", "--source", source, "--frames", "3"])
    assert done.exit_code == 0, done.output
    assert manager() == ["READY=1", "STOPPING=1"]
