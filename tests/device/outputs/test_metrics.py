import contextlib
import dataclasses
import hashlib
import json
import shutil
import socket
import threading
import time
import urllib.request

import pytest
from click.testing import CliRunner

pytest.importorskip("prometheus_client", reason="needs prometheus-client")

from prometheus_client.parser import text_string_to_metric_families

import fer_edge
from fer_edge.cli import main
from fer_edge.device.classify import open_models
from fer_edge.device.outputs import metrics
from fer_edge.device.outputs import metrics_server as server
from fer_edge.device.outputs.address import Listen
from fer_edge.device.outputs.jsonl import JsonLines
from fer_edge.device.outputs.metrics import Metrics
from fer_edge.device.results import Counters
from fer_edge.device.sources.base import Source
from fer_edge.device.sources.demo import DemoSource
from fer_edge.errors import OutputError
from fer_edge.shipped import shipped_models
from tests.device.making import LABELS, face, result

COUNTERS = Counters(captured=10, processed=3, dropped=7, skipped=2, restarts=1, full_searches=5)


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, path="/metrics"):
    """Return {(sample name, its label values by name of the label): value}."""
    with contextlib.closing(urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10)) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        text = answer.read().decode()
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_prometheus_sees(port, tmp_path):
    zones = tmp_path / "class" / "thermal"
    zone = zones / "thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("cpu-thermal\n")
    (zone / "temp").write_text("48312\n")
    (zones / "thermal_zone1").mkdir()  # one that is switched off
    lines = JsonLines(str(tmp_path / "out.jsonl"))
    lines.dropped = 4
    with lines, Metrics(Listen("127.0.0.1", port), LABELS, lambda: COUNTERS, [lines], [], tmp_path) as output:
        assert ask(port)["fer_edge_stage_seconds_count", "total"] == 0
        output.write(result(0))
        output.write(result(1, faces=[face(), face(number=2)]))
        output.write(dataclasses.replace(result(2, faces=[]), left_out=7))
        seen = ask(port)
    assert seen["fer_edge_frames_captured_total",] == 10
    assert seen["fer_edge_frames_processed_total",] == 3
    assert seen["fer_edge_frames_dropped_total",] == 7
    assert seen["fer_edge_frames_skipped_total",] == 2
    assert seen["fer_edge_source_restarts_total",] == 1
    assert seen["fer_edge_full_searches_total",] == 5
    assert seen["fer_edge_faces",] == 0
    assert seen["fer_edge_faces_left_out_total",] == 7
    assert seen["fer_edge_face_labels_total", "happy"] == 3
    assert seen["fer_edge_face_labels_total", "angry"] == 0
    assert seen["fer_edge_stage_seconds_count", "total"] == 3
    assert seen["fer_edge_stage_seconds_sum", "capture"] == pytest.approx(0.006)
    assert seen["fer_edge_stage_seconds_bucket", "0.001", "capture"] == 0
    assert seen["fer_edge_stage_seconds_bucket", "0.0025", "capture"] == 3
    assert seen["fer_edge_output_dropped_total", lines.name] == 4
    assert seen["fer_edge_temperature_celsius", "cpu-thermal-0"] == pytest.approx(48.312)
    assert seen["process_resident_memory_bytes",] > 1e6
    assert not [key for key in seen if key[0].endswith("_created")]
    assert not [key for key in seen if key[0] == "fer_edge_throttled"]  # nothing tells


@pytest.mark.parametrize("soc", ["soc/soc:firmware", "soc@107c000000/soc@107c000000:firmware"])
@pytest.mark.parametrize(
    ("said", "now"),
    [
        ("0\n", set()),
        ("50000\n", set()),  # at some time since the start
        ("50005\n", {"under_voltage", "throttled"}),
        ("a\n", {"frequency_capped", "soft_temperature_limit"}),
    ],
)
def test_what_the_firmware_says_of_heat_and_power(port, tmp_path, soc, said, now):
    folder = tmp_path / "devices/platform" / soc
    folder.mkdir(parents=True)
    (folder / "get_throttled").write_text(said)
    with Metrics(Listen("127.0.0.1", port), LABELS, lambda: COUNTERS, [], [], tmp_path):
        seen = ask(port)
    reasons = {key[1]: value for key, value in seen.items() if key[0] == "fer_edge_throttled"}
    assert len(reasons) == 4
    assert {reason for reason, value in reasons.items() if value} == now


@pytest.mark.parametrize("said", ["", "no answer", "-"])
def test_firmware_that_says_something_else_is_no_figure(port, tmp_path, said):
    folder = tmp_path / "devices/platform/soc/soc:firmware"
    folder.mkdir(parents=True)
    (folder / "get_throttled").write_text(said)
    with Metrics(Listen("127.0.0.1", port), LABELS, lambda: COUNTERS, [], [], tmp_path):
        assert not [key for key in ask(port) if key[0] == "fer_edge_throttled"]


def test_what_runs_where(port, tmp_path):
    shipped, own = shipped_models()["nano"], tmp_path / "model.tflite"  # as a deployment calls every file
    shutil.copy(shipped_models()["compact-fer2013"], own)
    models = open_models([shipped, own])
    digests = [hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in (shipped, own)]
    with Metrics(Listen("127.0.0.1", port), LABELS, lambda: COUNTERS, [], models, tmp_path):
        (key,) = [key for key in ask(port) if key[0] == "fer_edge_info"]
    assert key[1:] == (socket.gethostname(), "nano+compact-fer2013", "+".join(digests), fer_edge.__version__)


def test_afterwards_the_port_is_free_again(port):
    for _ in range(2):
        with Metrics(Listen("127.0.0.1", port), LABELS, lambda: COUNTERS, [], []):
            ask(port)


@pytest.fixture
def metrics_server(port, monkeypatch):
    """A server with little patience."""
    monkeypatch.setattr(server, "LIFETIME_S", 0.5)
    with Metrics(Listen("127.0.0.1", port), LABELS, lambda: COUNTERS, [], []):
        yield port


@pytest.mark.parametrize("sent", [b"", b"GET /met", b"GET /metrics HTTP/1.1\r\nX-Long: "])
def test_who_does_not_finish_a_request_is_let_go(metrics_server, sent):
    with socket.create_connection(("127.0.0.1", metrics_server), 10) as visitor:
        visitor.sendall(sent)
        start = time.monotonic()
        assert visitor.recv(1) == b""
        assert time.monotonic() - start < 5
    assert ask(metrics_server)["fer_edge_frames_captured_total",] == 10


def test_no_more_threads_than_so_many(metrics_server, caplog):
    before = threading.active_count()
    visitors = [socket.create_connection(("127.0.0.1", metrics_server), 10) for _ in range(100)]
    time.sleep(0.1)
    assert threading.active_count() - before <= server.CONNECTIONS
    for visitor in visitors:
        visitor.recv(1)
        visitor.close()
    assert ask(metrics_server)["fer_edge_frames_captured_total",] == 10
    assert caplog.messages == [f"metrics: closed 1 new connection, because {server.CONNECTIONS} are open"]


def test_an_open_connection_does_not_delay_the_end(port):
    output = Metrics(Listen("127.0.0.1", port), LABELS, lambda: COUNTERS, [], [])
    with socket.create_connection(("127.0.0.1", port), 10) as visitor:
        visitor.sendall(b"GET /")
        time.sleep(0.1)
        start = time.monotonic()
        output.close()
        assert time.monotonic() - start < 2


def test_only_this_machine_can_ask_by_default(port):
    with Metrics(Listen("127.0.0.1", port), LABELS, lambda: COUNTERS, [], []), socket.socket() as other:
        assert other.connect_ex(("127.0.0.2", port)) != 0


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid", "192.0.2.1"])
def test_an_address_that_is_not_to_be_had(port, host):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        with pytest.raises(OutputError, match=rf"--metrics {host}:{port}: cannot listen there"):
            Metrics(Listen(host, port), LABELS, lambda: COUNTERS, [], [])


def test_the_command_answers_while_it_runs(port, model_path, monkeypatch):
    seen = []
    write = Metrics.write

    def ask_after(self, result):
        write(self, result)
        seen.append(ask(port))

    monkeypatch.setattr(Metrics, "write", ask_after)
    arguments = [
        "run",
        "--model",
        str(model_path),
        "--source",
        "demo",
        "--frames",
        "2",
        "--metrics",
        str(port),
        "--json",
    ]
    ran = CliRunner().invoke(main, arguments)
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["frames"] == 2
    assert [one["fer_edge_frames_processed_total",] for one in seen] == [1, 2]
    assert seen[1]["fer_edge_face_labels_total", "happy"] == 2
    assert seen[1]["fer_edge_face_labels_total", "sad"] == 0


def test_the_command_refuses_another_form():
    ran = CliRunner().invoke(main, ["run", "--source", "demo", "--metrics", "everywhere"])
    assert ran.exit_code == 2
    assert "'everywhere': expected PORT or HOST:PORT" in " ".join(ran.stderr.split())


def test_a_camera_that_is_away_has_no_faces(port):
    with Metrics(Listen("127.0.0.1", port), LABELS, lambda: COUNTERS, [], []) as output:
        assert ask(port)["fer_edge_source_up",] == 0
        output.write(result(0, faces=[face()]))
        output.silent(4.9)
        assert (ask(port)["fer_edge_source_up",], ask(port)["fer_edge_faces",]) == (1, 1)
        output.silent(5.0)
        assert (ask(port)["fer_edge_source_up",], ask(port)["fer_edge_faces",]) == (0, 0)
        output.write(result(1, faces=[face()]))
        assert (ask(port)["fer_edge_source_up",], ask(port)["fer_edge_faces",]) == (1, 1)


def test_the_loop_says_that_its_camera_is_away(port, monkeypatch):
    monkeypatch.setattr(metrics, "SILENCE_TIMEOUT_S", 0.2)
    seen = []

    class Camera(Source):
        name, live = "camera", True

        def __iter__(self):
            film = iter(DemoSource((320, 240)))
            yield next(film)
            deadline = time.monotonic() + 10
            while seen[-2:] != [1, 0] and time.monotonic() < deadline:
                seen.append(ask(port)["fer_edge_source_up",])
            yield next(film)

    for _ in fer_edge.run(Camera(), metrics=port, models="nano", frames=2):
        pass
    assert seen[-2:] == [1, 0]
