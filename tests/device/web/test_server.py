import http.client
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner
from websockets.sync.client import connect

from fer_edge.cli import main
from fer_edge.device.outputs.address import Listen
from fer_edge.device.sources.base import Source
from fer_edge.device.sources.demo import PORTRAIT
from fer_edge.device.sources.wrappers import Paced
from fer_edge.device.web.server import Server
from fer_edge.device.web.serving import Serving
from fer_edge.errors import OutputError
from tests.device.web.conftest import TOKEN, free_port, wait_for


@pytest.fixture(scope="session")
def pem(tmp_path_factory):
    """A certificate for localhost and its key; and the key encrypted."""
    folder = tmp_path_factory.mktemp("pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs openssl")
    lock = ["openssl", "rsa", "-aes256", "-passout", "pass:secret", "-in", str(folder / "key.pem")]
    subprocess.run([*lock, "-out", str(folder / "locked.pem")], check=True, capture_output=True)
    return folder


def start(*arguments, **environment):
    command = [sys.executable, "-m", "fer_edge", *map(str, arguments)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environment
    )
    line = process.stderr.readline()
    assert line.startswith("live page: "), line + process.stderr.read()
    if "STATE_DIRECTORY" in environment:
        assert re.search(r" \(its token: in /.*/page-token\) ", line)
    return process, line.split()[2]


def ask(port, path="/api/device", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_serve_answers_and_ends_in_order():
    port = free_port()
    process, url = start("serve", port)
    assert url == f"http://127.0.0.1:{port}/"
    assert ask(port)[0] == 200
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize("asked", ["photo", "doctor"])
def test_a_stop_does_not_wait_for_what_a_visitor_asked(asked):
    """A decoder that hangs, as with a picture that is made to take long; an examination that takes its seconds."""
    port = free_port()
    process, _ = start("serve", port)
    if asked == "photo":
        request = (
            b"POST /api/photo HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
        )
        photo = PORTRAIT.read_bytes()
        with socket.create_connection(("127.0.0.1", port), 30) as visitor:
            visitor.sendall(request % len(photo) + photo)
            assert b"happy" in visitor.recv(65536) + visitor.recv(65536)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").parents[1].glob("*/children")
        (decoder,) = {int(child) for task in children for child in task.read_text().split()}
        os.kill(decoder, signal.SIGSTOP)
        sent = request % len(photo) + photo
    else:
        sent = b"GET /api/doctor HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), 30) as visitor:
        visitor.sendall(sent)
        time.sleep(0.5)
        began = time.monotonic()
        process.terminate()
        out, err = process.communicate(timeout=60)
        assert time.monotonic() - began < 5
    assert (process.returncode, out, err) == (0, "", "")


def test_run_with_the_page_and_a_viewer_ends_in_order(tmp_path):
    port, lines = free_port(), tmp_path / "out.jsonl"
    process, _ = start("run", "--source", "demo", "--serve", port, "--jsonl", lines, "--json")
    with connect(f"ws://127.0.0.1:{port}/api/live") as browser:
        message = browser.recv(timeout=30)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in err
    assert json.loads(out)["frames"] > 0
    seen = json.loads(message[4 : 4 + int.from_bytes(message[:4])])
    (written,) = [line for line in map(json.loads, lines.read_text().splitlines()) if line["frame"] == seen["frame"]]
    assert {key: seen[key] for key in written} == written


@pytest.mark.parametrize("service", [False, True])
def test_another_address_needs_a_token_that_is_kept_and_not_printed(tmp_path, service):
    file = tmp_path / ("page-token" if service else "fer-edge/page-token")
    state = {"STATE_DIRECTORY": str(tmp_path)} if service else {"STATE_DIRECTORY": "", "XDG_STATE_HOME": str(tmp_path)}
    tokens = set()
    for _ in range(2):
        port = free_port()
        process, url = start("serve", f"0.0.0.0:{port}", **state)
        assert re.fullmatch(rf"http://[^/]+:{port}/", url)
        with urllib.request.urlopen(
            f"{url}static/style.css", timeout=20
        ) as answer:  # it can be opened as it is printed
            assert answer.status == 200
        token = file.read_text().strip()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert ask(port)[0] == 401
        assert ask(port, Authorization=f"Bearer {token}")[0] == 200
        process.terminate()
        out, err = process.communicate(timeout=30)
        assert token not in out + err
        tokens.add(token)
    assert len(tokens) == 1


def test_a_token_that_cannot_be_kept(tmp_path):
    (tmp_path / "state").touch()
    done = CliRunner().invoke(main, ["serve", "0.0.0.0:8080"], env={"STATE_DIRECTORY": str(tmp_path / "state")})
    assert done.exit_code == 1
    assert "the token cannot be kept there" in done.output


def test_a_token_of_ones_own_from_the_environment():
    port = free_port()
    process, url = start("serve", port, FER_EDGE_TOKEN=TOKEN)
    assert TOKEN not in url
    assert ask(port)[0] == 401
    process.terminate()
    assert TOKEN not in "".join(process.communicate(timeout=30))


def test_tls(pem, model_path):
    port = free_port()
    context = ssl.create_default_context(cafile=pem / "cert.pem")
    serving = Serving(Listen("127.0.0.1", port), None, pem / "cert.pem", pem / "key.pem")
    with Server(serving, [model_path], None, None) as server:
        assert server.url == f"https://127.0.0.1:{port}/"
        connection = http.client.HTTPSConnection("localhost", port, timeout=20, context=context)
        connection.request("GET", "/")
        assert connection.getresponse().status == 200
        connection.close()


@pytest.mark.parametrize("fault", ["folder", "absent", "empty", "der", "no certificate", "unreadable", "other key"])
def test_files_that_are_no_certificate_and_key(pem, fault, tmp_path, model_path):
    """Of a library's user as well, whose paths no command line has looked at."""
    certificate, key = tmp_path / "cert", tmp_path / "key"
    certificate.write_bytes((pem / "cert.pem").read_bytes())
    key.write_bytes((pem / "key.pem").read_bytes())
    if fault == "folder":
        certificate = tmp_path
    elif fault == "absent":
        key = tmp_path / "absent"
    elif fault == "empty":
        certificate.write_bytes(b"")
    elif fault == "der":
        certificate.write_bytes(ssl.PEM_cert_to_DER_cert(certificate.read_text()))
    elif fault == "no certificate":
        certificate.write_bytes(key.read_bytes())
    elif fault == "unreadable":
        certificate.write_bytes(b"\xff\xfe\0" * 100)
    else:
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    with pytest.raises(OutputError, match="expected a certificate and its unencrypted key"):
        Server(Serving(Listen("127.0.0.1", free_port()), None, certificate, key), [model_path], None, None)


@pytest.mark.parametrize("key", ["locked.pem", "cert.pem"])
def test_a_certificate_that_cannot_be_used(pem, key):
    arguments = ["serve", "--tls-cert", str(pem / "cert.pem"), "--tls-key", str(pem / key)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "expected a certificate and its unencrypted key" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [["serve"], ["run", "--source", "demo", "--serve"]])
def test_an_address_that_is_taken(command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(main, [*command, str(port)])
    assert result.exit_code == 1
    assert f"live page at 127.0.0.1:{port}: cannot listen there (Address already in use)" in result.stderr


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_of_another_machine(model_path, host):
    with pytest.raises(OutputError, match="cannot listen there"):
        Server(Serving(Listen(host, free_port()), TOKEN), [model_path], None, None)


@pytest.mark.parametrize("command", [["serve"], ["run", "--source", "demo", "--serve", "8080"]])
def test_an_extra_that_is_not_installed(monkeypatch, command):
    monkeypatch.setitem(sys.modules, "starlette", None)
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert "pip install 'fer-edge[web]'" in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_address_in_brackets(model_path):
    port = free_port()
    try:
        with Server(Serving(Listen("::1", port)), [model_path], None, None) as server:
            assert server.url == f"http://[::1]:{port}/"
            connection = http.client.HTTPConnection("::1", port, timeout=20)
            connection.request("GET", "/")
            assert connection.getresponse().status == 200
            connection.close()
    except OutputError:
        pytest.skip("this machine has no IPv6")


def test_the_port_is_free_afterwards(model_path):
    port = free_port()
    for _ in range(2):
        with Server(Serving(Listen("127.0.0.1", port)), [model_path], None, None):
            wait_for(lambda: ask(port)[0] == 200)


class Film(Source):
    name, fps = "film", 50.0

    def __init__(self, frame):
        self.frame = frame

    def __iter__(self):
        return iter([self.frame(number, number / 50) for number in range(6)])


def test_a_film_is_played_at_its_own_rate(grey_frame):
    start = time.monotonic()
    arrivals = [(frame.time, time.monotonic() - start) for frame in Paced(Film(grey_frame), lambda: False)]
    assert [moment for moment, _ in arrivals] == [number / 50 for number in range(6)]
    assert all(arrived >= moment for moment, arrived in arrivals)
    assert arrivals[-1][1] < 5


def test_the_end_is_not_waited_for(grey_frame):
    class Slow(Film):
        def __iter__(self):
            return iter([grey_frame(0, 0.0), grey_frame(1, 1000.0)])

    assert len(list(Paced(Slow(grey_frame), lambda: True))) == 2
