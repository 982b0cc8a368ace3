"""The loop on a real stream: motion JPEG over HTTP from a process of its own, which is killed and started again."""

import itertools
import socket
import subprocess
import sys

import cv2
import numpy as np
import pytest

from fer_edge.device.pipeline import Pipeline
from fer_edge.device.sources import grabber, open_source

SERVER = """
import pathlib, socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
while True:
    client, _ = listener.accept()
    try:
        client.recv(4096)
        client.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Type: multipart/x-mixed-replace; boundary=next\\r\\n\\r\\n")
        for word in sys.argv[2:]:
            name, count = word.split("*")
            picture = pathlib.Path(name).read_bytes()
            for _ in range(int(count)):
                head = b"--next\\r\\nContent-Type: image/jpeg\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(picture)
                client.sendall(head + picture + b"\\r\\n")
                time.sleep(0.02)
    except OSError:
        pass
    client.close()
"""


@pytest.fixture
def camera():
    """Start cameras: call with pictures and how often each is shown, for the process and its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    started = []

    def start(*pictures):
        words = [f"{path}*{count}" for path, count in pictures]
        process = subprocess.Popen([sys.executable, "-c", SERVER, str(port), *words], stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process, f"http://127.0.0.1:{port}/"

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def jpeg(portrait, tmp_path):
    def write(width, height):
        picture = np.full((height, width, 3), 120, np.uint8)
        picture[: portrait.shape[0], 20 : 20 + portrait.shape[1]] = portrait[:height, : width - 20]
        path = tmp_path / f"{width}x{height}.jpg"
        assert cv2.imwrite(str(path), picture)
        return path

    return write


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(grabber, "BACK_OFF_S", (0.1, 0.2))


def test_a_camera_that_is_killed_and_comes_back_with_another_size(model, camera, jpeg, soon):
    process, address = camera((jpeg(400, 300), 10_000))
    with open_source(address) as source, Pipeline(source, [model]) as pipeline:
        assert source.live
        results = iter(pipeline)
        before = list(itertools.islice(results, 20))
        process.kill()
        process.wait()
        camera((jpeg(640, 480), 10_000))
        after = list(itertools.islice(results, 40))
        assert pipeline.counters.restarts == 1
    indices, times = [r.index for r in before + after], [r.time for r in before + after]
    assert indices == sorted(set(indices))
    assert times == sorted(times)
    assert (before[-1].frame.width, after[-1].frame.width) == (400, 640)
    ((known,), (anew,)) = before[-1].faces, after[-1].faces
    assert known.id < anew.id


def test_an_empty_picture_ends_the_stream_and_the_loop_goes_on(model, camera, jpeg, tmp_path, soon):
    empty = tmp_path / "empty.jpg"
    empty.touch()
    _, address = camera((jpeg(400, 300), 30), (empty, 1), (jpeg(400, 300), 10_000))
    with open_source(address) as source, Pipeline(source, [model]) as pipeline:
        results = list(itertools.islice(pipeline, 40))
        assert pipeline.counters.restarts >= 1
    assert len(results[-1].faces) == 1


def test_pictures_that_arrive_damaged_or_larger(model, camera, jpeg, tmp_path):
    whole = jpeg(400, 300)
    torn = tmp_path / "torn.jpg"
    torn.write_bytes(whole.read_bytes()[:700])
    _, address = camera((whole, 30), (torn, 3), (jpeg(640, 480), 10_000))
    with open_source(address) as source, Pipeline(source, [model]) as pipeline:
        results = list(itertools.islice(pipeline, 80))
        assert pipeline.counters.restarts == 0
    assert len(results[-1].faces) == 1
    # OpenCV goes on with the size that the stream began with.
    assert {(r.frame.width, r.frame.height) for r in results} == {(400, 300)}
