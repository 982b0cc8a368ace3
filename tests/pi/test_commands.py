"""The commands a user types on a Raspberry Pi, on emulated ones."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tests.device.bench.test_report import SCHEMA
from tests.pi.machine import ROOT

pytestmark = [pytest.mark.pi, pytest.mark.timeout(1200)]

PORTRAIT = ROOT / "device" / "portrait.jpg"
PIXELS = 3
"""OpenCV's builds and versions round differently, which can move a box by a pixel or two."""


def fer_edge(system, *arguments):
    """Run the command, which must succeed and print no traceback; return its standard output."""
    result = system.run("fer-edge", *arguments, binds=[(PORTRAIT, "/mnt/portrait.jpg")])
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    return result.stdout


def here(*arguments):
    """Run the command on this machine."""
    command = [sys.executable, "-m", "fer_edge", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def same_faces(found, expected):
    """Say whether two lists of faces agree in number, place and expression."""
    return len(found) == len(expected) and all(
        f["label"] == e["label"] and all(abs(a - b) <= PIXELS for a, b in zip(f["box"], e["box"], strict=True))
        for f, e in zip(found, expected, strict=True)
    )


def test_image_says_what_it_says_here(system):
    (found,) = json.loads(fer_edge(system, "image", "/mnt/portrait.jpg", "--json"))
    (expected,) = json.loads(here("image", PORTRAIT, "--json"))
    assert len(found["faces"]) == 1
    assert same_faces(found["faces"], expected["faces"])


def test_run_sees_the_same_film(system):
    arguments = ("run", "--source", "demo", "--frames", "5", "--jsonl", "-")
    found = [json.loads(line) for line in fer_edge(system, *arguments).splitlines()]
    expected = [json.loads(line) for line in here(*arguments).splitlines()]
    assert [frame["frame"] for frame in found] == list(range(5))
    assert sum(bool(frame["faces"]) for frame in expected) >= 4
    agreeing = [same_faces(f["faces"], e["faces"]) for f, e in zip(found, expected, strict=True)]
    assert sum(agreeing) >= 4


def test_bench_measures_model_and_loop_and_says_where(system):
    arguments = ("--runs", "20", "--seconds", "0", "--threads", "1", "--frames", "3", "--json")
    document = json.loads(fer_edge(system, "bench", *arguments))
    SCHEMA.validate(document)
    assert document["machine"]["architecture"] == "aarch64"
    assert document["machine"]["kind"] == "other"  # an emulated Raspberry Pi is none
    assert document["runtime"] == "ai_edge_litert.interpreter"
    assert [(row["threads"], row["xnnpack"], row["runs"]) for row in document["latency"]] == [
        (1, True, 20),
        (1, False, 20),
    ]
    assert all(row["wall_us"]["p50"] > 0 for row in document["latency"])
    assert document["pipeline"]["frames"] == 3
    assert document["pipeline"]["faces"] >= 0.6
    assert document["after"]["resident_mb"] > 20
    assert "; not a Raspberry Pi" in fer_edge(
        system, "bench", "--runs", "5", "--seconds", "0", "--threads", "1", "--frames", "0"
    )


def test_bench_measures_accuracy_with_what_a_pi_has(system, tmp_path):
    """Without TensorFlow, Keras and the other packages of a workstation."""
    rng = np.random.default_rng(0)
    rows = [f"{label},{' '.join(map(str, rng.integers(0, 256, 48 * 48)))},PublicTest" for label in range(7)]
    (tmp_path / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]))
    short = ("--runs", "5", "--seconds", "0", "--threads", "1", "--frames", "0", "--json")
    result = system.run("fer-edge", "bench", *short, "--data", "/mnt/data/fer2013.csv", binds=[(tmp_path, "/mnt/data")])
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["accuracy"]["images"] == 7


def test_doctor_finds_the_installation_in_order(system):
    result = system.run("fer-edge", "doctor", "--source", "demo", "--json")
    assert "Traceback" not in result.stderr
    report = json.loads(result.stdout)
    findings = {finding["name"]: finding for finding in report["findings"]}
    problems = {name: f["found"] for name, f in findings.items() if f["status"] == "problem"}
    assert not problems
    assert result.returncode == 0
