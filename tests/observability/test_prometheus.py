"""A real Prometheus asks ten loops with the shipped configuration; one of them dies and comes back."""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import pytest
import yaml
from click.testing import CliRunner

from fer_edge.cli import main
from tests.observability import shipped

pytest.importorskip("prometheus_client", reason="needs prometheus-client")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(480),
    pytest.mark.skipif(not shutil.which("prometheus"), reason="needs prometheus: apt install prometheus"),
]

HOSTS = [f"127.0.0.{number}" for number in range(11, 21)]
DYING = HOSTS[3]
PATIENCE_S = 180
"""For ten programs to start on a busy machine."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):  # Prometheus does not answer yet
            if condition():
                return
        time.sleep(1)
    pytest.fail(f"waited {PATIENCE_S} s for {what}")


class Loops:
    """One loop a host: the built-in film, small and at two pictures a second."""

    def __init__(self, port, folder):
        self._port, self._folder, self._running = port, folder, {}

    def start(self, host):
        options = ["--source", "demo:live", "--size", "320x240", "--fps", "2", "--skin", "off", "--model", "nano"]
        command = [sys.executable, "-m", "fer_edge", "run", *options, "--metrics", f"{host}:{self._port}"]
        with (self._folder / f"{host}.log").open("ab") as log:
            self._running[host] = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self, host):
        process = self._running.pop(host)
        process.kill()
        process.wait()

    def end(self):
        for host in list(self._running):
            self.kill(host)


class Prometheus:
    """Asks the server."""

    def __init__(self, port):
        self._address = f"http://127.0.0.1:{port}/api/v1/"

    def _get(self, path, **query):
        with urllib.request.urlopen(f"{self._address}{path}?{urllib.parse.urlencode(query)}", timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        """Return the labels of each series that a query gives."""
        return [series["metric"] for series in self._get("query", query=expression)["result"]]

    def away(self):
        """Return the machines of which it is said that their camera is away."""
        alerts = [alert for alert in self._get("alerts")["alerts"] if alert["state"] == "firing"]
        return {a["labels"]["instance"] for a in alerts if a["labels"]["alertname"] == "FerEdgeCameraAway"}


def hasten(folder):
    """Let a copy of the configuration look every 2 seconds, and alert after 3."""
    file = folder / "prometheus.yml"
    config = yaml.safe_load(file.read_text())
    config["global"] = {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"}
    file.write_text(yaml.safe_dump(config))
    rules = folder / "rules" / "alerts.yml"
    alerts = yaml.safe_load(rules.read_text())
    for alert in alerts["groups"][0]["rules"]:
        alert["for"] = "3s"
    rules.write_text(yaml.safe_dump(alerts))


def write_targets(folder, port):
    """Let ``fer-edge fleet targets`` say which machines there are."""
    fleet = folder / "fleet.yaml"
    groups = {name: {"hosts": hosts} for name, hosts in (("shop", HOSTS[:5]), ("hall", HOSTS[5:]))}
    fleet.write_text(yaml.safe_dump({"options": f"--metrics 0.0.0.0:{port}", "groups": groups}))
    ran = CliRunner().invoke(main, ["fleet", "targets", str(fleet), "--out", str(folder / "targets.json")])
    assert ran.exit_code == 0, ran.output


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Start the loops and Prometheus; return both, and the port of the loops."""
    folder = tmp_path_factory.mktemp("fleet") / "observability"
    shutil.copytree(shipped.FOLDER, folder)
    port, own = free_port(), free_port()
    hasten(folder)
    write_targets(folder, port)
    loops = Loops(port, folder)
    with (folder / "prometheus.log").open("wb") as log, contextlib.ExitStack() as stack:
        stack.callback(loops.end)
        for host in HOSTS:
            loops.start(host)
        data = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{own}"]
        server = subprocess.Popen(["prometheus", *data], cwd=folder, stdout=log, stderr=log)
        stack.callback(server.wait)
        stack.callback(server.kill)
        prometheus = Prometheus(own)
        # A rate needs two looks, and what is recorded one more.
        recorded = "instance:fer_edge_frames_processed:rate5m > 0"
        wait_until(lambda: len(prometheus.query(recorded)) == len(HOSTS), "ten loops")
        wait_until(lambda: not prometheus.away(), "no alerts")
        yield prometheus, loops, port


def test_no_panel_is_empty(watched):
    prometheus, _, port = watched
    machines = {f"{host}:{port}" for host in HOSTS}
    for title, query in shipped.panel_queries().items():
        series = prometheus.query(query)
        if title in shipped.NEEDS_A_BOARD and not series:
            continue
        assert series, title
        if "sum by" not in query:
            assert {labels["instance"] for labels in series} == machines, title
        if "group_left" in query:
            assert all({"host", "model", "version"} <= labels.keys() for labels in series), title


def test_every_choice_has_values(watched):
    prometheus, _, _ = watched
    offered = {
        name: {labels[label] for labels in prometheus.query(series)}
        for name, (series, label) in shipped.variable_queries().items()
    }
    assert offered["group"] == {"shop", "hall"}
    assert len(offered["instance"]) == len(HOSTS)
    assert "total" in offered["stage"]


def test_a_loop_that_dies_is_told_of_until_it_is_back(watched):
    prometheus, loops, port = watched
    loops.kill(DYING)
    wait_until(lambda: prometheus.away() == {f"{DYING}:{port}"}, "the alert")
    loops.start(DYING)
    wait_until(lambda: not prometheus.away(), "the end of the alert")
    wait_until(lambda: len(prometheus.query("fer_edge_source_up == 1")) == len(HOSTS), "all ten")
