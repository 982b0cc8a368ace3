import threading
import time

import pytest

from fer_edge.device.outputs import background as background_module
from fer_edge.device.outputs.background import Background
from fer_edge.device.outputs.base import Output
from fer_edge.errors import OutputError
from tests.device.making import result


class Gate(Output):
    """Writes when it is let."""

    name = "gate"

    def __init__(self, error=None, closing_error=None):
        self.open, self.entered = threading.Event(), threading.Event()
        self.written, self.closed = [], False
        self._error, self._closing_error = error, closing_error

    def write(self, result):
        self.entered.set()
        assert self.open.wait(20)
        if self._error:
            raise self._error
        self.written.append(result.index)

    def close(self):
        self.closed = True
        if self._closing_error:
            raise self._closing_error


def test_everything_is_written_in_order_before_the_end():
    gate = Gate()
    gate.open.set()
    with Background(gate, 2, live=False) as output:
        for index in range(20):
            output.write(result(index))
    assert gate.written == list(range(20))
    assert gate.closed
    assert output.dropped == 0
    assert output.name == "gate"


def test_a_live_source_never_waits_and_the_rest_is_counted():
    gate = Gate()
    with Background(gate, 2, live=True) as output:
        output.write(result(0))
        assert gate.entered.wait(5)
        for index in range(1, 10):
            output.write(result(index))
        assert output.dropped == 7
        gate.open.set()
    assert gate.written == [0, 1, 2]


def test_a_file_waits_for_room():
    gate = Gate()
    with Background(gate, 2, live=False) as output:
        threading.Timer(0.3, gate.open.set).start()
        begun = time.monotonic()
        for index in range(6):
            output.write(result(index))
        assert time.monotonic() - begun > 0.2
    assert gate.written == list(range(6))


def test_who_waits_can_be_stopped():
    gate = Gate()
    stop = threading.Event()
    with Background(gate, 1, live=False, stop=stop.is_set) as output:
        threading.Timer(0.2, stop.set).start()
        for index in range(4):
            output.write(result(index))
        assert output.dropped >= 2
        gate.open.set()
    assert gate.written[0] == 0


def test_an_error_reaches_the_loop_once():
    gate = Gate(OutputError("full"))
    gate.open.set()
    output = Background(gate, 2, live=False)
    with pytest.raises(OutputError, match="full"):
        for index in range(100):
            output.write(result(index))
    assert gate.closed
    output.close()


def test_after_an_error_nobody_waits_for_room():
    gate = Gate(OutputError("full"))
    output = Background(gate, 1, live=False)
    output.write(result(0))
    assert gate.entered.wait(5)
    output.write(result(1))
    threading.Timer(0.1, gate.open.set).start()
    for _ in range(3):  # each of them would wait for ever for the room that nobody makes
        with pytest.raises(OutputError, match="full"):
            output.write(result(2))
    output.close()


def test_an_error_of_the_last_result_is_raised_at_the_end():
    gate = Gate(OutputError("full"))
    output = Background(gate, 2, live=False)
    output.write(result(0))
    gate.open.set()
    with pytest.raises(OutputError, match="full"):
        output.close()


def test_an_error_of_closing_is_raised_at_the_end():
    output = Background(Gate(closing_error=OutputError("not finished")), 2, live=False)
    with pytest.raises(OutputError, match="not finished"):
        output.close()


def test_a_disk_that_hangs_does_not_hang_the_end(monkeypatch):
    monkeypatch.setattr(background_module, "CLOSE_TIMEOUT_S", 0.2)
    gate = Gate()
    output = Background(gate, 4, live=True)
    for index in range(3):
        output.write(result(index))
    assert gate.entered.wait(5)
    with pytest.raises(OutputError, match="gate: 3 pictures are not written"):
        output.close()
    gate.open.set()
