"""Fuzzers of what comes over a network: pages and WebSockets, brokers, targets of deployments, addresses."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import random
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.hard.data import Prepared, nothing
from tests.hard.mutations import spoil, spoil_text

MEMORY_MB = 1024
WAIT_S = 10


def pages(folder: Path) -> Prepared:
    """Requests and WebSocket messages to ``fer-edge serve``: no traceback, no status 500, and it goes on answering."""
    import fer_edge.device

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (folder / "server.log").open("wb")
    command = [sys.executable, "-m", "fer_edge", "serve", str(port), "--model", "nano"]
    server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    deadline = time.monotonic() + 120
    while not _answer(port, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").startswith(
        b"HTTP/1.1 200"
    ):
        assert time.monotonic() < deadline, (folder / "server.log").read_text()
        time.sleep(0.2)
    head = f"Host: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n".encode()
    photo = (Path(fer_edge.device.__file__).parent / "portrait.jpg").read_bytes()
    key = base64.b64encode(bytes(16))
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key
    paths = (b"/", b"/photo", b"/device", b"/api/device", b"/api/doctor", b"/static/style.css", b"/openapi.json", b"/x")
    plain = [b"GET " + path + b" HTTP/1.1\r\n" + head + b"\r\n" for path in paths]
    post = b"POST /api/photo HTTP/1.1\r\n" + head + b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
    camera = b"GET /api/camera HTTP/1.1\r\n" + head + upgrade + b"\r\n\r\n"

    def one(rng: random.Random) -> str | None:
        kind = rng.random()
        if kind < 0.8:
            data = spoil(rng, rng.choice(plain))
        elif kind < 0.9:
            body = spoil(rng, photo[:4000])
            data = post % len(body) + body
        else:
            data = camera + spoil(rng, b"\x82\x85\1\2\3\4abcde" + b"\x81\x82\1\2\3\4{}")
        answer = _answer(port, data)
        status = answer.split(b" ", 2)[1] if answer.startswith(b"HTTP/1.1 ") else b"none"
        assert status != b"500", (data, answer[:300])
        assert server.poll() is None
        return f"status {status.decode('latin-1')[:3]}"

    def finish() -> list[str]:
        found = []
        text = (folder / "server.log").read_text(errors="replace")
        if "Traceback" in text:
            found.append(f"the server's log: {text[text.index('Traceback') :][:2000]}")
        (peak,) = (line for line in Path(f"/proc/{server.pid}/status").read_text().splitlines() if "VmHWM" in line)
        if int(peak.split()[1]) > MEMORY_MB << 10:
            found.append(f"the server took {peak}")
        if not _answer(port, plain[0]).startswith(b"HTTP/1.1 200"):
            found.append("the server no longer answers")
        server.terminate()
        server.wait(WAIT_S)
        return found

    return one, finish


def _answer(port: int, data: bytes) -> bytes:
    """Return what the server sends until it closes the connection, which it has to do within `WAIT_S`."""
    try:
        return _exchange(port, data)
    except TimeoutError:
        raise AssertionError(f"the server keeps a connection for {WAIT_S} s after its end: {data[:300]!r}") from None
    except OSError:  # it closed before it had read everything, as it may
        return b""


def _exchange(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), WAIT_S) as channel:
        channel.settimeout(WAIT_S)
        channel.sendall(data)
        channel.shutdown(socket.SHUT_WR)
        begun, answer = time.monotonic(), b""
        while len(answer) < 100_000 and (piece := channel.recv(65536)):
            answer += piece
            if time.monotonic() - begun > WAIT_S:
                raise TimeoutError
        return answer


def brokers(folder: Path) -> Prepared:
    """An MQTT broker that sends anything: the output neither raises, nor hangs at its end, nor loses its thread."""
    from fer_edge.device.outputs import mqtt
    from fer_edge.device.outputs.address import Broker
    from tests.device.making import face, result

    mqtt.PATIENCE = 0.05
    listener = socket.create_server(("127.0.0.1", 0))
    told, lost = {"data": b""}, []
    threading.excepthook = lambda args: lost.append(f"{args.exc_type.__name__}: {args.exc_value}")

    def serve() -> None:
        while True:
            client, _ = listener.accept()
            with contextlib.suppress(OSError), client:
                client.settimeout(1)
                client.recv(4096)
                client.sendall(told["data"])
                client.recv(4096)

    threading.Thread(target=serve, daemon=True).start()
    packets = b"\x20\x02\0\0" + b"\x40\x02\0\1\x40\x02\0\2" + b"\xd0\0" + b"\x30\x05\0\3a/bx" + b"\x90\3\0\1\0"

    def one(rng: random.Random) -> str | None:
        told["data"] = spoil(rng, packets)
        output = mqtt.MqttOutput(Broker("127.0.0.1", listener.getsockname()[1], "room"), ("happy", "sad"))
        output.write(result(0, (64, 48), [face((1, 1, 20, 20))]))
        time.sleep(0.02)
        output.write(result(1, (64, 48), []))
        output.close()
        return None

    return one, lambda: [f"paho's thread ended: {text}" for text in sorted(set(lost))]


def addresses(folder: Path) -> Prepared:
    """Addresses of brokers, cameras and pages: none that is refused shows its password."""
    from fer_edge.device.outputs.address import parse_broker, parse_listen
    from fer_edge.text.address import check_address, without_secrets

    texts = ("mqtt://user:sesame@host:1883/a/b", "rtsp://user:sesame@10.0.0.7:554/ch1?x=1", "[::1]:8080", "0.0.0.0:80")

    def one(rng: random.Random) -> str | None:
        text = spoil_text(rng, rng.choice(texts)).decode("utf-8", "surrogateescape")
        shown = without_secrets(text)
        if ":sesame@" in text and "://" in text.split("sesame")[0]:
            assert "sesame" not in shown, (text, shown)
        for parse in (parse_broker, parse_listen, check_address):
            said = ""
            try:
                parse(text)
            except ValueError as error:
                said = str(error)
            assert parse is not parse_broker or "sesame" not in said, (text, said)
        return None

    return one, nothing


def targets(folder: Path) -> Prepared:
    """What a target of a deployment answers: taken only where every field is such a one, and shown without controls."""
    from fer_edge.device.deploy.explain import explain_login, explain_step
    from fer_edge.device.deploy.fleet.inventory import Member
    from fer_edge.device.deploy.fleet.status import parse_status
    from fer_edge.device.deploy.target import parse_target

    fields = (
        "root=/home/pi/fer-edge",
        "machine=aarch64",
        "python=3.11",
        "release=12",
        "system=Debian",
        "board=Pi",
        "rsync=",
    )
    text = "Welcome\n" + "".join(f"fer-edge:{field}\n" for field in fields)
    status = (
        "fer-edge:model="
        + "0" * 64
        + "\nfer-edge:load=0.5\nfer-edge:says=12.5 frames per second\nfer-edge:service=active\n"
    )
    member = Member("pi@host", "fleet", None, (), "~/fer-edge")
    errors = "fer-edge: it failed\nNo space left on device\nERROR: x\n"

    def one(rng: random.Random) -> str | None:
        words = spoil_text(rng, errors).decode("utf-8", "replace")
        for said in (explain_step(words), explain_login("pi@host", words)):
            assert said.isprintable()
            assert len(said) < 1000
        for value in dataclasses.asdict(
            parse_status(spoil_text(rng, status).decode("utf-8", "replace"), member, {})
        ).values():
            assert value is None or str(value).isprintable(), value
        try:
            found = parse_target(spoil_text(rng, text).decode("utf-8", "replace"), "~/fer-edge")
        except ValueError:
            return "refused"
        assert set(found.root) <= set("/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
        assert found.root.endswith("/fer-edge")
        assert found.machine in ("aarch64", "x86_64")
        assert found.describe().isprintable()
        return None

    return one, nothing


NETWORK = {"pages": pages, "brokers": brokers, "addresses": addresses, "targets": targets}
