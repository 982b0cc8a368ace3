import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

paho = pytest.importorskip("paho.mqtt.client", reason="needs paho-mqtt")

from fer_edge.device.outputs import mqtt as mqtt_module  # noqa: E402
from fer_edge.device.outputs.address import Broker, parse_broker  # noqa: E402
from fer_edge.device.outputs.mqtt import MqttOutput  # noqa: E402
from tests.device.making import LABELS, face, result  # noqa: E402

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="needs Mosquitto: apt-get install mosquitto")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not (got := condition()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
    return got


class Mosquitto:
    """A broker of our own on the loopback."""

    def __init__(self, folder: Path, settings=""):
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n{settings}")
        self._process = None

    def start(self):
        self._process = subprocess.Popen([MOSQUITTO, "-c", self._config], stderr=subprocess.DEVNULL)
        until(self.answers)

    def answers(self):
        assert self._process.poll() is None, "mosquitto does not start"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self):
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def broker(tmp_path):
    server = Mosquitto(tmp_path)
    server.start()
    yield server
    server.kill()


class Listener:
    """Keeps what arrives, across restarts of the broker."""

    def __init__(self, port, **tls):
        self.messages = []
        self.subscribed = threading.Event()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self.client.reconnect_delay_set(0.05, 0.05)
        self.client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = lambda _client, _data, message: self.messages.append(message)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.subscribed.wait(10)

    def on(self, topic):
        return [message.payload.decode() for message in list(self.messages) if message.topic == topic]

    def states(self, topic="home/desk"):
        return [json.loads(payload) for payload in self.on(f"{topic}/state")]

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def listener(broker):
    client = Listener(broker.port)
    yield client
    client.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(mqtt_module, "INTERVAL", 0.0)
    monkeypatch.setattr(mqtt_module, "BACK_OFF", (1, 1))


def output_for(port, **more):
    return MqttOutput(Broker("127.0.0.1", port, "home/desk", **more), LABELS)


def change(index):
    """A result that differs from the one before."""
    return result(index, faces=[face(happy=0.9 if index % 2 else 0.1)])


def arrive(output, found, listener):
    """Write a result until its message is there."""
    until(lambda: output.write(found) or [s for s in listener.states() if s["frame"] == found.index], 20)


def keep_turning(output, condition, seconds=15):
    """The loop goes on with the same face until something has happened."""
    same = change(1)

    def turn():
        output.write(same)
        return condition()

    return until(turn, seconds)


def test_changes_arrive_once_and_in_order(broker, listener):
    with output_for(broker.port) as output:
        for index in range(20):
            arrive(output, change(index), listener)
            output.write(change(index))  # no change, no message
    states = listener.states()
    assert [state["frame"] for state in states] == list(range(20))
    assert [state["label"] for state in states[:3]] == ["angry", "happy", "angry"]
    assert states[1]["score"] == pytest.approx(0.9)
    assert states[1]["faces"] == 1
    assert output.dropped == 0


def test_an_empty_picture_is_a_change(broker, listener):
    with output_for(broker.port) as output:
        arrive(output, change(0), listener)
        output.write(result(1, faces=[]))
    state = until(lambda: listener.states()[1:])[0]
    assert (state["label"], state["score"], state["faces"]) == (None, None, 0)


def test_so_many_messages_a_second_and_the_last_one_counts(broker, listener, monkeypatch):
    monkeypatch.setattr(mqtt_module, "INTERVAL", 0.3)
    with output_for(broker.port) as output:
        for index in range(8):
            output.write(change(index))
        assert not listener.states()[1:]
        keep_turning(output, lambda: len(listener.states()) == 2)
    assert [state["label"] for state in listener.states()] == ["angry", "happy"]


def test_online_and_offline(broker, listener):
    with output_for(broker.port):
        until(lambda: listener.on("home/desk/status") == ["online"])
    until(lambda: listener.on("home/desk/status") == ["online", "offline"])


def test_home_assistant_finds_its_entities(broker):
    with output_for(broker.port) as output:
        output.write(change(1))
        until(lambda: output._ready)
    late = Listener(broker.port)  # retained: whoever comes later learns of them all the same
    configs = until(
        lambda: (
            len(found := [m for m in late.messages if m.topic.startswith("homeassistant/")]) == 3
            and late.states()
            and found
        )
    )
    late.close()
    sensors = {}
    for message in configs:
        _, kind, node, key, last = message.topic.split("/")
        assert (kind, last) == ("binary_sensor" if key == "presence" else "sensor", "config")
        config = json.loads(message.payload)
        assert config["unique_id"] == f"{node}_{key}"
        assert config["device"]["identifiers"] == [node]
        assert config["state_topic"] == "home/desk/state"
        assert config["availability_topic"] == "home/desk/status"
        sensors[key] = config
    assert sensors["expression"]["options"] == ["angry", "happy", "none"]
    assert set(sensors) == {"presence", "expression", "faces"}
    assert sensors["faces"]["value_template"] == "{{ value_json.faces }}"
    assert late.states()[0]["label"] == "happy"


def test_each_person_has_a_topic_and_a_smile_must_last(broker, listener):
    with MqttOutput(Broker("127.0.0.1", broker.port, "home/desk"), LABELS, hold_s=0.6, people=2) as output:
        until(lambda: output.write(change(1)) or listener.states())
        assert listener.states()[0]["label"] is None  # not held yet
        until(lambda: output.write(change(1)) or listener.states()[-1]["label"] == "happy")
        ids = [[json.loads(payload)["id"] for payload in listener.on(f"home/desk/person/{n}")] for n in (1, 2)]
        assert ids == [[None, 1], [None]]
        begun = time.monotonic()
        until(lambda: output.write(result(2, faces=())) or listener.states()[-1]["label"] is None)
        assert 0.5 < time.monotonic() - begun < 5
    assert output.dropped == 0


def test_after_an_outage_of_a_broker_that_remembers(tmp_path):
    broker = Mosquitto(tmp_path, f"persistence true\npersistence_location {tmp_path}/\nautosave_interval 1\n")
    broker.start()
    listener = Listener(broker.port)
    with output_for(broker.port) as output:
        arrive(output, change(0), listener)
        listener.subscribed.clear()
        broker.kill()
        until(lambda: not output._ready)
        for index in range(10, 61):
            output.write(change(index))
        broker.start()
        assert listener.subscribed.wait(15)
        arrive(output, change(60), listener)
    frames = [state["frame"] for state in listener.states()]
    listener.close()
    broker.kill()
    assert list(dict.fromkeys(frames)) == [0, 60]  # once more is allowed
    assert output.dropped == 0


def test_a_broker_that_is_never_there_is_said_once(caplog):
    begun = time.monotonic()
    with output_for(free_port()) as output, caplog.at_level(logging.WARNING):
        keep_turning(output, lambda: caplog.messages)
        before = time.monotonic()
        for index in range(200):
            output.write(change(index))
        assert time.monotonic() - before < 1
        time.sleep(1.5)  # a second attempt
        assert len(caplog.messages) == 1
        assert "the broker cannot be reached (Connection refused)" in caplog.messages[0]
    assert "the last state was not delivered" in caplog.messages[1]
    assert output.dropped == 1
    assert time.monotonic() - begun < 8


def test_a_wrong_password_is_said_and_not_shown(tmp_path, caplog):
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "desk", "right"], check=True, capture_output=True)
    passwords.chmod(0o644)
    broker = Mosquitto(tmp_path, f"password_file {passwords}\n")
    broker._config.write_text(broker._config.read_text().replace("allow_anonymous true", "allow_anonymous false"))
    broker.start()
    try:
        with output_for(broker.port, user="desk", password="wr0ng") as output, caplog.at_level(logging.DEBUG):
            keep_turning(output, lambda: caplog.messages)
            assert "Not authorized" in caplog.text
            assert "wr0ng" not in caplog.text + repr(output._broker) + output.name
        with output_for(broker.port, user="desk", password="right") as output:
            until(lambda: output._ready)
    finally:
        broker.kill()


# paho leaves the socket of a failed handshake to the garbage collector, which Python then mentions.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_tls(tmp_path, monkeypatch, caplog):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    key.chmod(0o644)
    broker = Mosquitto(tmp_path, f"certfile {certificate}\nkeyfile {key}\n")
    broker.start()
    try:
        with output_for(broker.port, tls=True) as output, caplog.at_level(logging.WARNING):
            keep_turning(output, lambda: caplog.messages)
            assert "certificate" in caplog.text.lower()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with output_for(broker.port, tls=True) as output:
            until(lambda: output._ready)
    finally:
        broker.kill()


def start(model_path, *arguments, **environment):
    command = [sys.executable, "-m", "fer_edge", "run", "--model", str(model_path), *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environment
    )


def test_the_last_will_after_a_sigkill(broker, listener, model_path):
    process = start(model_path, "--source", "demo:live", FER_EDGE_MQTT=f"mqtt://127.0.0.1:{broker.port}/home/desk")
    until(lambda: listener.states(), 60)
    assert listener.states()[0]["label"] == "happy"
    process.kill()
    process.communicate()
    until(lambda: listener.on("home/desk/status") == ["online", "offline"])


def test_the_command_says_goodbye_and_shows_no_password(broker, listener, model_path):
    url = f"mqtt://desk:s3cret@127.0.0.1:{broker.port}/home/desk"
    process = start(model_path, "--source", "demo:live", "--mqtt", url)
    until(lambda: listener.states(), 60)
    process.send_signal(signal.SIGTERM)
    output = "".join(process.communicate(timeout=30))
    assert process.returncode == 0, output
    assert "s3cret" not in output
    until(lambda: listener.on("home/desk/status") == ["online", "offline"])


def test_the_parsed_address_is_what_is_shown():
    broker = parse_broker("mqtt://desk:s3cret@host/home/desk")
    assert str(broker) == "mqtt://host:1883/home/desk"
    assert "s3cret" not in repr(broker)


def test_a_broker_that_hangs_holds_up_nobody():
    with socket.socket() as hanging:
        hanging.bind(("127.0.0.1", 0))
        hanging.listen()
        begun = time.monotonic()
        with output_for(hanging.getsockname()[1]) as output:
            for index in range(500):
                output.write(change(index))
            assert time.monotonic() - begun < 1
        assert time.monotonic() - begun < 8
    assert output.dropped == 1
