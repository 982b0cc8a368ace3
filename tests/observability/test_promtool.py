"""What Prometheus's own checks say of the shipped files."""

import json
import shutil
import subprocess

import pytest

from tests.observability import shipped

pytestmark = pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool: apt install prometheus")


def promtool(*words, cwd=shipped.FOLDER):
    return subprocess.run(["promtool", *words], cwd=cwd, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def copy(tmp_path):
    """Return a copy with machines to ask."""
    folder = tmp_path / "observability"
    shutil.copytree(shipped.FOLDER, folder)
    (folder / "targets.json").write_text(json.dumps([{"targets": ["door:9600"], "labels": {"group": "shop"}}]))
    return folder


def test_the_configuration_and_its_rules_are_valid(copy):
    ran = promtool("check", "config", "prometheus.yml", cwd=copy)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "WARNING" not in ran.stdout + ran.stderr


def test_the_rules_do_what_their_tests_say():
    ran = promtool("test", "rules", "rules/tests.yml")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    tested = (shipped.RULES / "tests.yml").read_text()
    assert not [alert["alert"] for alert in shipped.rules("alerts.yml") if f"alertname: {alert['alert']}" not in tested]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("fer_edge_source_up == 0 or", "fer_edge_source_up == 1 or"),
        ("> 0.8", "> 0.95"),
        ('{reason!="soft_temperature_limit"}', ""),
        ("> 70", "> 75"),
        ("max by (job)", "min by (job)"),
    ],
)
def test_another_rule_fails_them(copy, right, wrong):
    alerts = copy / "rules" / "alerts.yml"
    text = alerts.read_text()
    assert text.count(right) == 1
    alerts.write_text(text.replace(right, wrong))
    ran = promtool("test", "rules", "rules/tests.yml", cwd=copy)
    assert ran.returncode == 1, ran.stdout
    assert "FAILED" in ran.stdout + ran.stderr


@pytest.mark.parametrize("title", shipped.panel_queries())
def test_the_dashboards_queries_are_promql(tmp_path, title):
    file = tmp_path / "rules.json"
    rule = {"record": "panel", "expr": shipped.panel_queries()[title]}
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": [rule]}]}))
    ran = promtool("check", "rules", str(file))
    assert ran.returncode == 0, ran.stdout + ran.stderr
