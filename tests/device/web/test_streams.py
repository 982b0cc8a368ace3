"""On a real server: these answers never end, and a client that does not read is a matter of sockets."""

import http.client
import json
import socket
import struct
import threading
import time

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from fer_edge.device.web import streams
from fer_edge.device.web.hub import VIEWERS
from tests.device.making import result
from tests.device.web.conftest import wait_for

LOOP = {"fps": 15.0, "captured": 3, "dropped": 0}


class Loop:
    """Offers results from a thread until it is left; counts them."""

    def __init__(self, hub, size=(64, 48), pause=0.01):
        self.hub, self.size, self.pause, self.count, self.slowest = hub, size, pause, 0, 0.0
        self.thread, self.over = threading.Thread(target=self.run), threading.Event()

    def run(self):
        while not self.over.wait(self.pause):
            start = time.perf_counter()
            self.hub.offer(result(self.count, size=self.size), lambda: LOOP)
            self.slowest = max(self.slowest, time.perf_counter() - start)
            self.count += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.over.set()
        self.thread.join()


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    return connection, connection.getresponse()


def test_events(served):
    hub, port = served
    connection, answer = get(port, "/api/events")
    assert answer.getheader("Content-Type").startswith("text/event-stream")
    assert answer.readline() == b": connected\n"
    with Loop(hub):
        lines = [answer.readline() for _ in range(10)]
    connection.close()
    assert lines[0] == b"\n"
    events = [json.loads(line[6:]) for line in lines if line.startswith(b"data: ")]
    assert [f"id: {event['frame']}\n".encode() for event in events] == [line for line in lines if line[:2] == b"id"]
    assert events[0]["faces"][0]["label"] == "happy"


def test_pictures(served):
    hub, port = served
    connection, answer = get(port, "/api/stream.mjpg")
    assert answer.getheader("Content-Type") == "multipart/x-mixed-replace; boundary=fer-edge-picture"
    with Loop(hub):
        for _ in range(3):
            head = [answer.readline() for _ in range(5)]
            assert head[0] == b"--fer-edge-picture\r\n"
            assert head[3].startswith(b"X-Frame: ")
            picture = answer.read(int(head[2].split()[1]))
            assert picture.startswith(b"\xff\xd8")
            assert picture.endswith(b"\xff\xd9")
            assert answer.readline() == b"\r\n"
    connection.close()


def test_pictures_and_results_together(served):
    hub, port = served
    frames = []
    with Loop(hub), connect(f"ws://127.0.0.1:{port}/api/live") as socket_:
        for _ in range(5):
            message = socket_.recv(timeout=20)
            (length,) = struct.unpack_from(">I", message)
            frames.append(json.loads(message[4 : 4 + length])["frame"])
            assert message[4 + length :].startswith(b"\xff\xd8")
            socket_.send("next")
    assert frames == sorted(set(frames))


def test_a_browser_that_draws_nothing_gets_no_more_than_two(served):
    hub, port = served
    with Loop(hub) as loop, connect(f"ws://127.0.0.1:{port}/api/live") as socket_:
        assert [bool(socket_.recv(timeout=20)) for _ in range(2)] == [True, True]
        before = loop.count
        with pytest.raises(TimeoutError):
            socket_.recv(timeout=0.5)
        assert loop.count > before + 5
        socket_.send("next")
        assert socket_.recv(timeout=20)


def test_who_goes_is_forgotten(served):
    hub, port = served
    connection, answer = get(port, "/api/events")
    with Loop(hub):
        answer.readline()
        assert hub.watched
        connection.close()
        answer.close()
        with connect(f"ws://127.0.0.1:{port}/api/live") as socket_:
            socket_.recv(timeout=20)
        wait_for(lambda: not hub.watched)


def test_a_client_that_reads_nothing_holds_nobody_up_and_is_let_go(served, monkeypatch):
    monkeypatch.setattr(streams, "STALLED", 1.0)
    hub, port = served
    stalled = socket.create_connection(("127.0.0.1", port))
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.sendall(b"GET /api/stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    connection, answer = get(port, "/api/events")
    answer.readline()
    wait_for(lambda: len(hub._viewers) == 2)
    with Loop(hub, size=(1920, 1080), pause=0.02) as loop:
        wait_for(lambda: len(hub._viewers) == 1, 60)
        assert answer.readline() is not None
        assert loop.slowest < 0.5  # an encoded picture of this size takes longer than a hand-over
    stalled.close()
    connection.close()


def test_one_too_many_is_told(served):
    hub, port = served
    connections = [get(port, "/api/events") for _ in range(VIEWERS)]
    wait_for(lambda: len(hub._viewers) == VIEWERS)
    connection, answer = get(port, "/api/events")
    assert answer.status == 503
    assert "watching already" in json.loads(answer.read())["error"]
    with connect(f"ws://127.0.0.1:{port}/api/live") as socket_, pytest.raises(ConnectionClosed) as closed:
        socket_.recv(timeout=20)
    assert "watching already" in closed.value.rcvd.reason
    for one, _ in [*connections, (connection, answer)]:
        one.close()


def test_the_stream_says_that_it_is_alive(served, monkeypatch):
    monkeypatch.setattr(streams, "SILENT", 0.1)
    connection, answer = get(served[1], "/api/events")
    assert [answer.readline() for _ in range(3)][2] == b": nothing new\n"
    connection.close()


def test_the_end_of_the_loop_ends_the_streams(served):
    hub, port = served
    connection, answer = get(port, "/api/stream.mjpg")
    wait_for(lambda: hub.watched)
    with connect(f"ws://127.0.0.1:{port}/api/live") as socket_:
        wait_for(lambda: len(hub._viewers) == 2)
        hub.offer(result(), lambda: LOOP)
        assert socket_.recv(timeout=20)
        hub.close()
        assert b"\xff\xd8" in answer.read()
        with pytest.raises(ConnectionClosed):
            socket_.recv(timeout=20)
    connection.close()
