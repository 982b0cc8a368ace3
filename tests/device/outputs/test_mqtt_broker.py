"""What a broker knows after it or the camera was away; needs no Mosquitto."""

import json
import time

import pytest

pytest.importorskip("paho.mqtt.client", reason="needs paho-mqtt")

from fer_edge.device.outputs import mqtt as mqtt_module
from fer_edge.device.outputs.address import Broker
from fer_edge.device.outputs.mqtt import MqttOutput
from tests.device.making import LABELS, face, result
from tests.device.outputs.tiny_broker import TinyBroker

STATE, STATUS = "home/desk/state", "home/desk/status"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(mqtt_module, "INTERVAL", 0.0)
    monkeypatch.setattr(mqtt_module, "BACK_OFF", (1, 1))


@pytest.fixture
def broker():
    server = TinyBroker()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def output(broker):
    with MqttOutput(Broker("127.0.0.1", broker.port, "home/desk"), LABELS) as opened:
        yield opened


def change(index):
    """A result that differs from the one before."""
    return result(index, faces=[face(happy=0.9 if index % 2 else 0.1)])


def until(condition, turn=lambda: None, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        turn()
        time.sleep(0.02)


def frames(broker):
    return [json.loads(payload)["frame"] for payload in broker.payloads(STATE)]


def restart(broker, output, turn):
    """Kill the broker and start it again, empty, once the loss was noticed."""
    broker.kill()
    until(lambda: output._away, turn)
    broker.start()


def test_a_broker_that_forgot_everything_is_told_again_without_a_change(broker, output):
    def same():
        output.write(change(7))

    until(lambda: STATE in broker.retained, same)
    before = dict(broker.retained)
    restart(broker, output, same)
    until(lambda: STATE in broker.retained, same)
    assert broker.retained == before
    assert broker.retained[STATUS] == "online"
    assert len(before) == 5
    assert broker.payloads(STATUS) == ["online"]
    assert frames(broker) == [7]


def test_after_an_outage_only_the_last_state_is_sent(broker, output):
    until(lambda: frames(broker) == [1], lambda: output.write(change(1)))
    broker.kill()
    until(lambda: output._away, lambda: output.write(change(1)))
    for index in range(10, 500):
        output.write(change(index))
    broker.start()
    until(lambda: frames(broker), lambda: output.write(change(499)))
    time.sleep(0.2)
    output.write(change(499))
    assert frames(broker) == [499]
    assert output.dropped == 0


def test_a_state_that_was_under_way_does_not_stay(broker, output):
    until(lambda: frames(broker) == [1], lambda: output.write(change(1)))
    broker.receipts = False
    until(lambda: frames(broker) == [1, 2], lambda: output.write(change(2)))
    broker.kill()
    until(lambda: output._away, lambda: output.write(change(3)))
    broker.receipts = True
    broker.start()
    until(lambda: broker.payloads(STATE) and frames(broker)[-1] == 3, lambda: output.write(change(3)))
    time.sleep(0.2)
    assert frames(broker) == [2, 3]  # paho repeats the one without a receipt


def test_states_that_a_slow_broker_does_not_take_are_replaced(broker, output):
    until(lambda: frames(broker) == [1], lambda: output.write(change(1)))
    broker.receipts = False
    for index in range(2, 50):
        output.write(change(index))
        time.sleep(0.002)
    assert len(frames(broker)) <= 2


def test_a_camera_that_is_away_shows_no_face_and_is_offline(broker, output):
    until(lambda: STATE in broker.retained, lambda: output.write(change(1)))
    output.silent(4.9)
    time.sleep(0.1)
    assert broker.retained[STATUS] == "online"
    until(lambda: broker.retained[STATUS] == "offline", lambda: output.silent(5.1))
    until(lambda: json.loads(broker.retained[STATE])["faces"] == 0, lambda: output.silent(5.1))
    assert json.loads(broker.retained[STATE])["label"] is None
    until(lambda: broker.retained[STATUS] == "online", lambda: output.write(change(1)))
    until(lambda: json.loads(broker.retained[STATE])["label"] == "happy", lambda: output.write(change(1)))


def test_a_broker_that_comes_back_while_the_camera_is_away_hears_of_that(broker, output):
    until(lambda: STATE in broker.retained, lambda: output.write(change(1)))
    until(lambda: broker.retained[STATUS] == "offline", lambda: output.silent(6.0))
    restart(broker, output, lambda: output.silent(7.0))
    until(lambda: STATE in broker.retained, lambda: output.silent(8.0))
    assert broker.payloads(STATUS)[0] == "offline"
    assert set(broker.payloads(STATUS)) == {"offline"}
    assert json.loads(broker.retained[STATE])["faces"] == 0
