import dataclasses
import json

import pytest

from fer_edge.device.bench import Durations, ModelLatency
from fer_edge.device.bench_pipeline import PipelineLatency
from fer_edge.device.bench_report import Conditions, machine_line, to_json, to_table
from fer_edge.device.results import STAGES
from fer_edge.errors import ModelFileError
from fer_edge.machine import describe_machine
from fer_edge.model_file import file_hash

PI = {
    "architecture": "aarch64",
    "board": "Raspberry Pi 4 Model B Rev 1.4",
    "processor": "unknown",
    "cores": 4,
    "system": "Linux-6.6-aarch64",
    "python": "3.11.2",
    "versions": {"fer-edge": "0.1.0", "numpy": "1.24.2", "keras": "3.15.0"},
}
CONDITIONS = Conditions(
    date="2026-01-02T03:04:05+00:00",
    machine=PI,
    load_average=0.1,
    runtime="ai_edge_litert.interpreter",
    model={"file": "compact.tflite", "name": "compact", "bytes": 2048, "sha256": "ab" * 32},
)
TIMES = Durations(mean=35.25, p50=34.5, p90=40.0, p99=50.0, max=1234.0)
LATENCY = [ModelLatency(t, 1000, init_us=2500.0, first_us=300.0, wall_us=TIMES, cpu_us=36.0) for t in (1, 8)]
PIPELINE = PipelineLatency(
    source="demo",
    live=False,
    width=640,
    height=480,
    frames=100,
    warm_up_frames=10,
    faces=1.0,
    dropped=0,
    opencv_threads=4,
    stages_ms={stage: Durations(mean=20.0, p50=19.0, p90=25.0, p99=31.25, max=40.0) for stage in STAGES},
    cpu_ms=33.5,
)


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({}, "Raspberry Pi 4 Model B Rev 1.4, aarch64, 4 cores"),
        (
            {"board": None, "architecture": "x86_64", "processor": "AMD EPYC", "cores": 2},
            "x86_64 workstation, AMD EPYC, 2 cores; not a Raspberry Pi",
        ),
        ({"board": None}, "aarch64 machine, 4 cores; not a Raspberry Pi"),
        ({"board": "Orange Pi 5"}, "Orange Pi 5, aarch64, 4 cores; not a Raspberry Pi"),
        ({"cores": 1, "board": None}, "aarch64 machine, 1 core; not a Raspberry Pi"),
    ],
)
def test_a_workstation_is_never_taken_for_a_raspberry_pi(facts, line):
    assert machine_line({**PI, **facts}) == line


def test_table_names_machine_model_and_protocol():
    table = to_table(CONDITIONS, LATENCY, PIPELINE)
    assert "model: compact.tflite (2.0 KB, sha256 abababababab)" in table
    assert "measured on: Raspberry Pi 4 Model B Rev 1.4, aarch64, 4 cores\n" in table
    assert "fer-edge 0.1.0, numpy 1.24.2, Python 3.11.2" in table
    assert "1,000 runs after 50 for warm-up" in table
    rows = [line.split() for line in table.splitlines()]
    assert ["1", "34.5", "40.0", "50.0", "35.2", "36.0", "300.0", "2,500.0"] in rows
    assert ["detect", "19.00", "25.00", "31.25", "20.00"] in rows
    assert "50.0 pictures a second" in table
    assert "33.50 ms" in table
    assert max(map(len, table.splitlines())) <= 110


def test_thread_counts_above_the_cores_are_marked():
    table = to_table(CONDITIONS, LATENCY, None)
    starts = [line.split()[0] for line in table.splitlines() if "2,500.0" in line]
    assert starts == ["1", "8*"]
    assert "* more threads than the 4 cores of this machine" in table
    assert [row["more_threads_than_cores"] for row in to_json(CONDITIONS, LATENCY, None)["latency"]] == [False, True]
    assert "*" not in to_table(CONDITIONS, LATENCY[:1], None)


@pytest.mark.parametrize(("load", "warned"), [(0.4, False), (3.0, True)])
def test_a_busy_machine_is_a_warning(load, warned):
    table = to_table(dataclasses.replace(CONDITIONS, load_average=load), LATENCY, None)
    assert ("warning: the machine was busy" in table) == warned


def test_only_a_live_source_waits_and_drops():
    live = dataclasses.replace(PIPELINE, live=True, dropped=1234)
    assert "the wait for the camera" in to_table(CONDITIONS, LATENCY, live)
    assert "1,234 pictures of the camera were dropped" in to_table(CONDITIONS, LATENCY, live)
    assert "camera" not in to_table(CONDITIONS, LATENCY, PIPELINE)


def test_json_holds_everything():
    document = json.loads(json.dumps(to_json(CONDITIONS, LATENCY, PIPELINE)))
    assert document["date"] == CONDITIONS.date
    assert document["machine"] == PI
    assert document["model"] == CONDITIONS.model
    assert document["protocol"]["runs"] == 1000
    assert document["protocol"]["threads"] == [1, 8]
    assert document["latency"][0]["wall_us"] == dataclasses.asdict(TIMES)
    assert document["pipeline"]["stages_ms"]["total"]["p99"] == 31.25
    assert to_json(CONDITIONS, LATENCY, None)["pipeline"] is None


def test_conditions_of_this_machine(model_path):
    conditions = Conditions.now(model_path)
    assert conditions.machine == describe_machine()
    assert conditions.model["sha256"] == file_hash(model_path)
    assert conditions.model["bytes"] == model_path.stat().st_size
    assert conditions.date.endswith("+00:00")
    assert conditions.cores >= 1


def test_conditions_refuse_another_kind_of_file(tmp_path):
    file = tmp_path / "text.tflite"
    file.write_text("hello")
    with pytest.raises(ModelFileError, match="expected a TFLite model"):
        Conditions.now(file)
