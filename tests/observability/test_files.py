"""The files of ``observability/`` name what ``fer-edge run --metrics`` shows."""

import dataclasses
import socket
import urllib.request

import pytest
import yaml

pytest.importorskip("prometheus_client", reason="needs prometheus-client")

from prometheus_client.parser import text_string_to_metric_families

from fer_edge.device.classify import open_models
from fer_edge.device.doctor.power import HOT
from fer_edge.device.outputs.address import Listen
from fer_edge.device.outputs.metrics import Metrics
from fer_edge.device.results import Counters
from tests.device.making import LABELS, face, result
from tests.observability import shipped

LABEL_NAMES = {"host", "label", "le", "model", "model_sha256", "output", "reason", "stage", "version", "zone"}
"""Each has few values for as long as a loop runs; a face's number or a source's name would be none of them."""


@pytest.fixture
def board(tmp_path):
    """Return the /sys of a Raspberry Pi."""
    zone, firmware = tmp_path / "class/thermal/thermal_zone0", tmp_path / "devices/platform/soc/soc:firmware"
    for folder in (zone, firmware):
        folder.mkdir(parents=True)
    (zone / "type").write_text("cpu-thermal\n")
    (zone / "temp").write_text("48312\n")
    (firmware / "get_throttled").write_text("0\n")
    return tmp_path


@pytest.fixture
def loop(board):
    """Return metrics of a loop, and what asks for their samples."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def ask():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        return [sample for family in families for sample in family.samples]

    counters = Counters(captured=1, processed=1, dropped=0, skipped=0, restarts=0, full_searches=0)
    with Metrics(Listen("127.0.0.1", port), LABELS, lambda: counters, [], open_models("nano"), board) as metrics:
        yield metrics, ask


def expressions():
    """Return every query that is shipped, by where it stands."""
    queries = {f"panel {title}": query for title, query in shipped.panel_queries().items()}
    queries |= {f"variable {name}": series for name, (series, _) in shipped.variable_queries().items()}
    for name in ("recording.yml", "alerts.yml"):
        queries |= {rule.get("record") or rule["alert"]: rule["expr"] for rule in shipped.rules(name)}
    return queries


def test_every_series_that_is_asked_for_exists(loop):
    _, ask = loop
    there = {sample.name for sample in ask()} | {"up"} | {rule["record"] for rule in shipped.rules("recording.yml")}
    asked = {where: shipped.metrics_in(query) for where, query in expressions().items()}
    assert all(asked.values())
    assert not {where: names - there for where, names in asked.items() if names - there}


def test_what_is_recorded_is_used():
    used = set().union(*(shipped.metrics_in(query) for query in expressions().values()))
    assert {rule["record"] for rule in shipped.rules("recording.yml")} <= used


def test_no_label_grows_without_bound(loop):
    metrics, ask = loop
    metrics.write(result())
    before = ask()
    for number in range(1, 200):
        metrics.write(dataclasses.replace(result(number, faces=[face(number=number)]), left_out=number))
    after = ask()
    assert {(s.name, *sorted(s.labels.items())) for s in before} == {(s.name, *sorted(s.labels.items())) for s in after}
    assert {name for sample in after for name in sample.labels} == LABEL_NAMES - {"output"}  # there is no other output


def test_the_machines_are_read_from_the_file_that_fleet_targets_writes():
    config = yaml.safe_load((shipped.FOLDER / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    assert job["file_sd_configs"] == [{"files": ["targets.json"]}]
    assert all((shipped.FOLDER / name).is_file() for name in config["rule_files"])
    assert {path.name for path in shipped.RULES.iterdir()} == {"alerts.yml", "recording.yml", "tests.yml"}
    # The rules and the dashboard choose by the name of the job.
    assert all(f'job="{job["job_name"]}"' in query for query in shipped.panel_queries().values())


def test_alerts_say_where_and_what_to_do():
    alerts = shipped.rules("alerts.yml")
    assert {alert["alert"] for alert in alerts} == {
        "FerEdgeCameraAway",
        "FerEdgeFramesDropped",
        "FerEdgeThrottled",
        "FerEdgeHot",
        "FerEdgeStaleVersion",
    }
    for alert in alerts:
        assert alert["for"]
        assert alert["labels"]["severity"] in ("warning", "critical")
        assert "{{ $labels.instance }}" in alert["annotations"]["summary"]
        assert alert["annotations"]["description"]


def test_hot_is_what_the_doctor_calls_hot():
    (hot,) = [alert for alert in shipped.rules("alerts.yml") if alert["alert"] == "FerEdgeHot"]
    assert hot["expr"].endswith(f"> {HOT:g}")


def test_the_dashboard_is_laid_out_without_overlaps():
    taken, numbers = set(), [panel["id"] for panel in shipped.dashboard()["panels"]]
    assert len(set(numbers)) == len(numbers)
    for panel in shipped.dashboard()["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_dashboard_names_every_panel_that_needs_a_board():
    assert shipped.NEEDS_A_BOARD.keys() <= shipped.panel_queries().keys()
