import os
import resource
import select
import socket
import time

import pytest

from fer_edge.device.service import listener as module
from fer_edge.device.service.listener import Listener


@pytest.fixture
def listening():
    made = []

    def make(connections):
        made.append(Listener("127.0.0.1", 0, connections, "page"))
        return made[-1]

    yield make
    for listener in made:
        listener.close()


def come(listener, count):
    return [socket.create_connection(listener.getsockname(), 5) for _ in range(count)]


def let_in(listener):
    """Accept as a server does: whenever somebody waits."""
    taken = []
    while select.select([listener], [], [], 0.2)[0]:
        try:
            taken.append(listener.accept()[0])
        except BlockingIOError:
            continue
    return taken


def is_closed(visitor):
    visitor.settimeout(5)
    try:
        return visitor.recv(1) == b""
    except ConnectionResetError:
        return True


def close_all(*sockets):
    for one in sockets:
        one.close()


def test_who_comes_beyond_the_limit_is_closed_at_once(listening):
    listener = listening(3)
    visitors = come(listener, 100)
    taken = let_in(listener)
    assert len(taken) == 3
    assert all(map(is_closed, visitors[3:]))
    close_all(*taken, *visitors)


def test_a_place_is_free_again_when_a_connection_ends(listening):
    listener = listening(2)
    visitors = come(listener, 2)
    one, other = let_in(listener)
    one.close()
    visitors += come(listener, 2)
    third = let_in(listener)
    assert len(third) == 1
    close_all(other, *third, *visitors)


def test_the_last_descriptors_are_left_to_others(listening):
    listener = listening(1000)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
    visitors = []
    try:
        # The visitors take descriptors of this process too, so that it comes to its end twice as fast.
        while True:
            visitors += come(listener, 10)
            taken = let_in(listener)
            visitors += taken
            if len(taken) < 10:
                break
        files = [os.open(os.devnull, os.O_RDONLY) for _ in range(module.RESERVED_DESCRIPTORS - 20)]
        for file in files:
            os.close(file)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        close_all(*visitors)


def test_without_any_descriptor_visitors_are_closed_and_not_left_waiting(listening):
    listener = listening(1000)
    (visitor,) = come(listener, 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
    files = []
    try:
        try:
            while True:
                files.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            pass
        with pytest.raises(BlockingIOError):
            listener.accept()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for file in files:
            os.close(file)
    assert is_closed(visitor)
    visitors = come(listener, 1)
    taken = let_in(listener)
    assert len(taken) == 1
    close_all(visitor, *visitors, *taken)


def test_one_line_a_minute(listening, caplog, monkeypatch):
    listener = listening(1)
    visitors = come(listener, 200)
    taken = let_in(listener)
    assert caplog.messages == ["page: closed 1 new connection, because 1 are open"]
    monkeypatch.setattr(module, "LOG_INTERVAL_S", 0.0)
    visitors += come(listener, 1)
    let_in(listener)
    assert caplog.messages[1:] == ["page: closed 199 new connections, because 1 are open"]
    close_all(*visitors, *taken)


def test_old_connections_are_broken_off(listening):
    listener = listening(10)
    (visitor,) = come(listener, 1)
    (taken,) = let_in(listener)
    listener.close_older(60)
    time.sleep(0.02)
    listener.close_older(0.01)
    assert is_closed(visitor)
    assert taken.recv(1) == b""
    close_all(visitor, taken)
