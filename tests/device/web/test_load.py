"""What viewers cost the loop, on the loopback; minutes long, and only worth something on a machine that is not busy."""

import http.client
import resource
import socket
import statistics
import subprocess
import sys
import threading
import time

import pytest

from fer_edge.device.classify import open_models
from fer_edge.device.outputs.address import Listen
from fer_edge.device.pipeline import Pipeline
from fer_edge.device.sources.demo import DemoSource
from fer_edge.device.web.live import LivePage
from fer_edge.device.web.serving import Serving
from tests.device.web.conftest import answers, free_port, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Paced:
    """The loop on the demo film at a camera's pace, with its page; measures itself in its own thread."""

    def __init__(self, model_path, fps, page=True):
        self.port = free_port() if page else None
        self.fps, self.model_path = fps, model_path
        self.frames, self.over = 0, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        with DemoSource(live=True, fps=self.fps) as source:
            pipeline = Pipeline(source, open_models([self.model_path]), stop=self.over.is_set)
            page = None
            if self.port:
                page = LivePage(Serving(Listen("127.0.0.1", self.port)), [self.model_path], "demo", pipeline)
            with pipeline:
                for result in pipeline:
                    if page:
                        page.write(result)
                    self.frames += 1
            if page:
                page.close()

    def __enter__(self):
        self.thread.start()
        wait_for(lambda: self.frames > 2 * self.fps and (not self.port or answers(self.port)), 120)
        return self

    def __exit__(self, *error):
        self.over.set()
        self.thread.join()

    def measure(self, seconds):
        """Return pictures a second and milliseconds of processor time a picture, all threads together."""
        frames, start, cpu = self.frames, time.monotonic(), time.process_time()
        time.sleep(seconds)
        done = self.frames - frames
        return done / (time.monotonic() - start), 1000 * (time.process_time() - cpu) / done


def keep_up(rate, fps):
    if rate < 0.97 * fps:
        pytest.skip(f"this machine is too busy: {rate:.1f} of {fps} pictures a second without any viewer")


def watch(port, path, over, taken):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    while not over.is_set() and answer.readline():
        taken.append(1)
    connection.close()


def test_the_page_costs_nothing_while_nobody_looks(model_path):
    """Pieces with and without a page by turns, because the machine's speed drifts."""
    headless, closed = [], []
    for _ in range(5):
        with Paced(model_path, 30, page=False) as loop:
            rate, cpu = loop.measure(8)
            keep_up(rate, 30)
            headless.append(cpu)
        with Paced(model_path, 30) as loop:
            over, taken = threading.Event(), []
            viewer = threading.Thread(target=watch, args=(loop.port, "/api/stream.mjpg", over, taken))
            viewer.start()
            wait_for(lambda taken=taken: taken)
            over.set()
            viewer.join()
            time.sleep(1)
            closed.append(loop.measure(8)[1])
    ratio = statistics.median(closed) / statistics.median(headless)
    print(f"ms a picture: headless {headless}, page closed {closed}, ratio {ratio:.3f}")
    assert ratio < 1.05


def stall(port, path):
    """Ask, and never read."""
    client = socket.create_connection(("127.0.0.1", port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return client


def test_a_stalled_client_does_not_slow_the_loop(model_path):
    """By turns without and with one; the best turns count, because another program can only slow a turn down."""
    without, stalled = [], []
    with Paced(model_path, 30) as loop:
        for _ in range(4):
            without.append(loop.measure(6)[0])
            clients = [stall(loop.port, path) for path in ("/api/stream.mjpg", "/api/events")]
            stalled.append(loop.measure(6)[0])
            for client in clients:
                client.close()
    print(f"pictures a second without {without}, with two stalled clients {stalled}")
    keep_up(max(without), 30)
    assert max(stalled) > 0.95 * max(without)


VIEWERS = """
import selectors, socket, sys
port, paths = int(sys.argv[1]), sys.argv[2:]
ready = selectors.DefaultSelector()
ready.register(sys.stdin, selectors.EVENT_READ)
for path in paths:
    viewer = socket.create_connection(("127.0.0.1", port))
    viewer.sendall(f"GET {path} HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n".encode())
    ready.register(viewer, selectors.EVENT_READ, [0])
open_ = True
while open_:
    for key, _ in ready.select():
        if key.data is None:
            open_ = False
        else:
            key.data[0] += len(key.fileobj.recv(1 << 20))
print(min(key.data[0] for key in ready.get_map().values() if key.data))
"""
"""Plain HTTP viewers in a process of their own, until its standard input ends; prints the least that one received."""


def test_fifty_viewers_for_two_minutes(model_path):
    with Paced(model_path, 15) as loop:
        before, _ = loop.measure(10)
        keep_up(before, 15)
        command = [sys.executable, "-c", VIEWERS, str(loop.port), *["/api/stream.mjpg", "/api/events"] * 25]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as viewers:
            loop.measure(5)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            during, cpu = loop.measure(120)
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
            least = int(viewers.communicate(timeout=60)[0])
        after, _ = loop.measure(10)
    print(f"pictures a second {before:.2f}, with 50 viewers {during:.2f}, after {after:.2f}")
    print(f"{cpu:.1f} ms a picture with them, {grown:.1f} MB more, the least received {least / 1e6:.1f} MB")
    assert grown < 30
    assert least > 100_000
    keep_up(after, 15)
    assert during > 0.9 * before
