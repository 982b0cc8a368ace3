"""The programs of examples/ run as they stand, and are short."""

import csv
import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fer_edge.device.sources.demo import PORTRAIT

EXAMPLES = Path(__file__).parents[1] / "examples"
LINES = 30


def run(name, *arguments, cwd=None):
    command = [sys.executable, "-W", "error::SyntaxWarning", EXAMPLES / f"{name}.py", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_they_are_short_and_listed():
    files = sorted(EXAMPLES.glob("*.py"))
    assert len(files) >= 8
    listed = (EXAMPLES / "README.md").read_text()
    for file in files:
        lines = [line for line in file.read_text().splitlines() if line.strip()]
        assert len(lines) <= LINES, file.name
        assert f"({file.name})" in listed


def test_photo_to_json():
    (face,) = json.loads(run("photo_to_json", PORTRAIT))
    assert face["label"] == "happy"


def test_camera_loop():
    lines = run("camera_loop", "demo", 5).splitlines()
    assert len(lines) == 5
    assert "1: happy" in lines[-1]


def test_own_output():
    assert run("own_output", "demo", 100).startswith("person 1 has smiled since second")


def test_folder_to_csv(tmp_path):
    shutil.copy(PORTRAIT, tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_text("no photo")
    run("folder_to_csv", tmp_path, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["file"], row["label"]) == ("a.jpg", "happy")


def test_compare_latency():
    lines = run("compare_latency").splitlines()
    assert [line.split()[0] for line in lines] == ["nano", "compact"]


@pytest.mark.timeout(900)
def test_a_model_of_own_classes_is_trained_and_converted(tmp_path):
    said = run("own_classes", "demo", tmp_path / "run", 1)
    assert f"fer-edge convert {tmp_path / 'run' / 'model.keras'} --int8 --data demo" in said
    said = run("convert_network", tmp_path / "run" / "model.keras", "demo", tmp_path / "nano.tflite")
    assert "the int8 file gives the same class for" in said
    assert (tmp_path / "nano.tflite").is_file()


@pytest.fixture
def broker(tmp_path):
    """Yield the port of a Mosquitto broker and a function that reads the retained message of a topic."""
    mosquitto = shutil.which("mosquitto", path="/usr/sbin:/usr/bin")
    if mosquitto is None:
        pytest.skip("needs mosquitto")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    with subprocess.Popen([mosquitto, "-c", tmp_path / "conf"], stderr=subprocess.DEVNULL) as process:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
        process.terminate()


def test_mqtt_sensor(broker):
    subscribe = pytest.importorskip("paho.mqtt.subscribe", reason="needs paho-mqtt")
    run("mqtt_sensor", "127.0.0.1", broker, "demo", 5)
    message = subscribe.simple("door/faces", hostname="127.0.0.1", port=broker)
    assert json.loads(message.payload) == {"faces": 1, "expression": "happy"}
