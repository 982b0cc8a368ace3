"""Visitors who do nothing, or little: what they cost, and how long."""

import re
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fer_edge.device.outputs.address import Listen
from fer_edge.device.web import connection, server
from fer_edge.device.web.server import Server
from fer_edge.device.web.serving import Serving
from tests.device.web.conftest import answers, free_port, wait_for

REQUEST = b"GET /static/style.css HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def port(model_path, monkeypatch):
    """The port of a real server that has little patience."""
    monkeypatch.setattr(connection, "HEADER_TIMEOUT_S", 0.5)
    monkeypatch.setattr(connection, "BODY_TIMEOUT_S", 0.8)
    monkeypatch.setattr(connection, "STALLED_TIMEOUT_S", 0.5)
    port = free_port()
    with Server(Serving(Listen("127.0.0.1", port)), [model_path], None, None):
        wait_for(lambda: answers(port))
        yield port


def visit(port, data=b""):
    visitor = socket.create_connection(("127.0.0.1", port), 10)
    visitor.sendall(data)
    return visitor


def closed_after(visitor, trickle=b""):
    """Return the seconds until the server closes, while a byte comes every tenth of a second."""
    start = time.monotonic()
    visitor.settimeout(0.1)
    while time.monotonic() - start < 10:
        try:
            if trickle:
                visitor.sendall(trickle)
            if not visitor.recv(65536):
                return time.monotonic() - start
        except TimeoutError:
            continue
        except OSError:
            return time.monotonic() - start
    raise AssertionError("it is still open")


@pytest.mark.parametrize(
    ("sent", "trickle"),
    [
        (b"", b""),
        (b"GET / HT", b""),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ", b"a"),
        (b"POST /api/photo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n", b"a"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n", b"a"),
        (REQUEST + b"GET / HTTP/1.1\r\nX-Long: ", b"a"),
    ],
    ids=["nothing", "half a line", "endless header", "endless photo", "endless body for a page", "second request"],
)
def test_who_does_not_finish_a_request_is_let_go(port, sent, trickle):
    with visit(port, sent) as visitor:
        assert closed_after(visitor, trickle) < 4


def test_who_asks_again_and_again_is_not_let_go(port):
    with visit(port) as visitor:
        for _ in range(15):
            visitor.sendall(REQUEST)
            time.sleep(0.1)
            assert visitor.recv(65536).startswith(b"HTTP/1.1 200")


def test_who_does_not_take_an_answer_is_let_go(port):
    with socket.socket() as visitor:
        visitor.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        visitor.connect(("127.0.0.1", port))
        visitor.settimeout(0.1)
        start = time.monotonic()
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            while time.monotonic() - start < 20:
                try:
                    visitor.sendall(100 * REQUEST)
                except TimeoutError:
                    continue


def test_no_more_connections_than_so_many(model_path, monkeypatch):
    monkeypatch.setattr(server, "CONNECTIONS", 5)
    port = free_port()
    with Server(Serving(Listen("127.0.0.1", port)), [model_path], None, None):
        wait_for(lambda: answers(port))
        time.sleep(0.3)
        visitors = [visit(port) for _ in range(50)]
        left = [visitor for visitor in visitors if is_open(visitor)]
        assert len(left) == 5
        left[0].sendall(REQUEST)
        assert left[0].recv(65536).startswith(b"HTTP/1.1 200")
        for visitor in visitors:
            visitor.close()


def is_open(visitor):
    visitor.settimeout(0.2)
    try:
        return visitor.recv(1) != b""
    except TimeoutError:
        return True
    except ConnectionResetError:
        return False


def entries(pid, folder):
    return len(list(Path(f"/proc/{pid}/{folder}").iterdir()))


@pytest.mark.parametrize("option", ["--serve", "--metrics"])
def test_a_crowd_without_a_token_does_not_end_the_run(tmp_path, option):
    """With few descriptors, as a service may have; what the run says stays short."""
    port, lines = free_port(), tmp_path / "out.jsonl"
    limit = f"ulimit -n 256; exec {sys.executable} -m fer_edge run --source demo:live"
    process = subprocess.Popen(
        ["bash", "-c", f"{limit} --jsonl {lines} {option} {port}"], stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(lambda: answers(port), 60)
        visitors = [visit(port, b"GET / HTTP/1.1\r\nX-Half: ") for _ in range(400)]
        time.sleep(1)
        assert entries(process.pid, "fd") < 256 - 16
        assert entries(process.pid, "task") < 40
        before = lines.stat().st_size
        wait_for(lambda: lines.stat().st_size > before)
    finally:
        process.send_signal(signal.SIGTERM)
        start = time.monotonic()
        err = process.communicate(timeout=30)[1]
    for visitor in visitors:
        visitor.close()
    assert process.returncode == 0, err
    assert time.monotonic() - start < 6
    assert len(err.splitlines()) < 10
    assert re.search(r"closed 1 new connection, because (200|16|the process)", err)


@pytest.fixture(autouse=True)
def many_descriptors():
    """For the visitors, who are all of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
