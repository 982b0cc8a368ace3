import os
import signal
import threading
import time

import pytest

from fer_edge.device.service.signals import StopSignals


@pytest.fixture(params=[signal.default_int_handler, signal.SIG_IGN], ids=["default", "ignored"])
def before(request):
    """How SIGINT was handled; a shell's script has its background jobs ignore it."""
    found = signal.signal(signal.SIGINT, request.param)
    yield request.param
    signal.signal(signal.SIGINT, found)


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_signal_asks_and_the_second_insists(before):
    with pytest.raises(KeyboardInterrupt), StopSignals() as stop:
        interrupt()
        assert stop.requested
        interrupt()
        time.sleep(10)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_ends_the_wait_for_what_hangs(before):
    over = threading.Event()
    threading.Timer(0.2, interrupt).start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt), StopSignals() as stop:
        stop.wait_for(over.wait)
    assert time.monotonic() - begun < 8
    over.set()


def test_what_is_done_soon_after_the_signal_is_returned():
    with StopSignals() as stop:
        assert stop.wait_for(lambda: interrupt() or "done") == "done"
        assert stop.wait_for(lambda: time.sleep(0.3) or "late") == "late"
        assert stop.requested


def test_what_fails_raises_where_it_is_waited_for():
    def fail():
        raise TimeoutError("of its own")

    with StopSignals() as stop, pytest.raises(TimeoutError, match="of its own"):
        stop.wait_for(fail)
