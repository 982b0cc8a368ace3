import socket
import time

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from fer_edge.device.outputs.address import Listen
from fer_edge.device.web.app import make_app
from fer_edge.device.web.hub import Hub
from fer_edge.device.web.server import Server
from fer_edge.device.web.serving import Serving

TOKEN = "abcdefgh12345678"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)
    return value


def jpeg(bgr, ending=".jpg"):
    return cv2.imencode(ending, bgr)[1].tobytes()


class Client(TestClient):
    """One whose WebSockets go to the same host, too."""

    def websocket_connect(self, url, *arguments, **keywords):
        return super().websocket_connect(f"ws://127.0.0.1:8080{url}", *arguments, **keywords)


@pytest.fixture(scope="session")
def seven(portrait):
    """A photo of seven people, as JPEG."""
    height, width = portrait.shape[:2]
    photo = np.full((2 * height + 60, 4 * width + 100, 3), 200, np.uint8)
    for number in range(7):
        row, column = divmod(number, 4)
        y, x = 20 + row * (height + 20), 20 + column * (width + 20)
        photo[y : y + height, x : x + width] = np.clip(portrait.astype(float) * (0.85 + 0.05 * number), 0, 255)
    return jpeg(photo)


@pytest.fixture(scope="session")
def bomb():
    """A PNG of some hundred kilobytes that announces 400 million pixels."""
    return jpeg(np.zeros((20000, 20000), np.uint8), ".png")


@pytest.fixture
def client(model_path):
    """Ask an application without a camera."""

    def make(serving=None, hub=None, source=None):
        serving = serving or Serving(Listen("127.0.0.1", 8080))
        return Client(make_app(serving, [model_path], hub, source), base_url="http://127.0.0.1:8080")

    return make


@pytest.fixture
def served(model_path):
    """A real server of a hub's results on a free port: gives the hub and the port."""
    hub, port = Hub(), free_port()
    with Server(Serving(Listen("127.0.0.1", port)), [model_path], hub, "demo"):
        wait_for(lambda: answers(port))
        yield hub, port


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
