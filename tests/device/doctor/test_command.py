import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.machine import describe_machine


def doctor(*arguments):
    return CliRunner().invoke(main, ["doctor", *map(str, arguments)])


@pytest.fixture(scope="module")
def report(model_path):
    """What it says about this machine, with the built-in film as the camera."""
    return doctor("--json", "--source", "demo", "--model", model_path)


def test_json(report):
    document = json.loads(report.stdout)
    assert set(document) == {"ok", "findings", "machine"}
    assert all(set(finding) == {"name", "status", "found", "advice"} for finding in document["findings"])
    statuses = {finding["name"]: finding["status"] for finding in document["findings"]}
    assert set(statuses.values()) <= {"ok", "warning", "problem", "unknown"}
    assert document["ok"] == ("problem" not in statuses.values())
    assert report.exit_code == (0 if document["ok"] else 1)
    for name in ("numpy", "OpenCV", "face cascade", "TFLite runtime", "model", "inference", "camera"):
        assert statuses[name] == "ok", document
    assert document["machine"] == describe_machine()


@pytest.mark.skipif(bool(describe_machine()["board"]), reason="this machine is a board and may be a Raspberry Pi")
def test_a_workstation_is_not_taken_for_a_raspberry_pi(report):
    findings = {finding["name"]: finding for finding in json.loads(report.stdout)["findings"]}
    assert findings["board"]["status"] == "unknown"
    for name in ("board", "throttling now", "throttling before"):
        assert "not a Raspberry Pi" in findings[name]["found"]


def test_text(model_path):
    result = doctor("--source", "demo", "--model", model_path)
    lines = result.stdout.splitlines()
    assert "\x1b" not in result.stdout
    assert lines[-1].startswith("Ready" if result.exit_code == 0 else "Not ready")
    assert [line[:8] for line in lines if line[0:1] in "✓!✗?"].count("✓ numpy ") == 1
    heads = [line for line in lines[:-2] if not line.startswith(" ")]
    assert len(heads) == 20
    assert all(line[1] == line[19] == line[20] == " " != line[21] for line in heads)  # aligned


def test_a_model_that_is_none_is_a_problem_and_status_1(tmp_path):
    model = tmp_path / "model.tflite"
    model.write_bytes(b"GIF89a" * 99)
    result = doctor("--source", "demo", "--model", model)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].startswith("Not ready: ")


@pytest.mark.parametrize("arguments", [("--model", "no-such-model"), ("--source", "/no/such/file"), ("what",)])
def test_wrong_usage_is_status_2(arguments):
    assert doctor(*arguments).exit_code == 2


@pytest.fixture
def broken(tmp_path):
    """Run the command in a Python whose numpy is broken, as after an interrupted installation."""
    (tmp_path / "numpy.py").write_text("raise ImportError('numpy is torn')")
    (tmp_path / "numpy-9.dist-info").mkdir()

    def run(*arguments, **environ):
        return subprocess.run(
            [sys.executable, "-m", "fer_edge", "doctor", *arguments],
            env={**os.environ, "PYTHONPATH": str(tmp_path), **environ},
            capture_output=True,
            check=False,
        )

    return run


def test_a_broken_numpy_is_a_finding_and_no_traceback(broken, model_path):
    result = broken("--json", "--model", str(model_path))
    assert result.returncode == 1
    assert result.stderr == b""
    findings = {finding["name"]: finding for finding in json.loads(result.stdout)["findings"]}
    assert findings["numpy"]["status"] == "problem"
    assert "numpy is torn" in findings["numpy"]["found"]
    assert findings["memory"]["status"] in ("ok", "warning")


def test_a_terminal_without_the_marks(broken, model_path):
    result = broken("--model", str(model_path), PYTHONIOENCODING="ascii")
    assert result.stderr == b""
    assert b"\nx numpy " in result.stdout
