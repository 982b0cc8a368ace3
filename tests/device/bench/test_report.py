import dataclasses
import json
from importlib import resources

import jsonschema
import pytest

from fer_edge.device.bench.accuracy import Accuracy
from fer_edge.device.bench.conditions import Conditions, Moment, machine_kind
from fer_edge.device.bench.model import Batches, Durations, ModelLatency
from fer_edge.device.bench.pipeline import PipelineLatency
from fer_edge.device.bench.report import Measurement, machine_line, to_json, to_table
from fer_edge.device.results import STAGES

SCHEMA = jsonschema.Draft202012Validator(
    json.loads(resources.files("fer_edge.device.bench").joinpath("bench.schema.json").read_text())
)
PI = {
    "kind": "Raspberry Pi",
    "architecture": "aarch64",
    "board": "Raspberry Pi 4 Model B Rev 1.4",
    "processor": "unknown",
    "cores": 4,
    "system": "Debian GNU/Linux 12 (bookworm)",
    "python": "3.11.2",
    "versions": {"fer-edge": "0.1.0", "numpy": "1.24.2", "keras": "3.15.0"},
}
CONDITIONS = Conditions(
    date="2026-01-02T03:04:05+00:00",
    machine=PI,
    runtime="ai_edge_litert.interpreter",
    model={"file": "compact.tflite", "name": "compact", "bytes": 2048, "sha256": "ab" * 32},
)
COOL = Moment(
    temperature_c=45.0,
    throttled=0,
    governor="ondemand",
    clock_mhz=1800,
    limit_mhz=1800,
    maximum_mhz=1800,
    load_average=0.1,
    resident_mb=80.25,
)
WARM = dataclasses.replace(COOL, temperature_c=61.0, load_average=1.0, resident_mb=95.5)
HOT = dataclasses.replace(WARM, temperature_c=82.0, throttled=0x60006)


def durations(mean, p50, p90, p99, highest):
    batches = Batches(*((value,) * 20 for value in (mean, p50, p90, p99)))
    return Durations(mean, p50, p90, p99, highest, batches)


TIMES = durations(35.25, 34.5, 40.0, 50.0, 1234.0)
LATENCY = tuple(
    ModelLatency(threads, xnnpack, 2000, 10.5, init_us=2500.0, first_us=300.0, wall_us=TIMES, cpu_us=36.0)
    for threads, xnnpack in ((1, True), (8, False))
)
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
    stages_ms={stage: durations(20.0, 19.0, 25.0, 31.25, 40.0) for stage in STAGES},
    cpu_ms=33.5,
)
ACCURACY = Accuracy("fer2013.csv", "cd" * 32, "PublicTest", 3589, 0.6637, 0.0079, 0.6, 0.62)
MEASUREMENT = Measurement(CONDITIONS, 1024, 10.0, (COOL, WARM), LATENCY, PIPELINE, ACCURACY)


def changed(**fields):
    return dataclasses.replace(MEASUREMENT, **fields)


def test_a_whole_measurement_fits_the_schema():
    SCHEMA.validate(json.loads(to_json(MEASUREMENT)))
    unknown = Moment(None, None, None, None, None, None, 0.0, None)
    SCHEMA.validate(json.loads(to_json(changed(moments=(unknown,), pipeline=None, accuracy=None))))


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": "Raspberry Pi", "board": None},
        {"kind": "Raspberry Pi", "architecture": "x86_64"},
        {"kind": "workstation"},
        {"kind": "other"},
        {"kind": "board"},
    ],
)
def test_the_schema_knows_who_is_a_raspberry_pi(facts):
    document = json.loads(to_json(MEASUREMENT))
    document["machine"] |= facts
    assert not SCHEMA.is_valid(document)


def test_the_schema_holds_a_standard_measurement_to_the_protocol():
    document = json.loads(to_json(MEASUREMENT))
    document["protocol"]["min_runs"] = 1023
    assert not SCHEMA.is_valid(document)


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
    machine = {**PI, **facts}
    assert machine_line({**machine, "kind": machine_kind(machine)}) == line


def test_table_names_machine_model_and_protocol():
    table = to_table(MEASUREMENT)
    assert "model: compact.tflite (2.0 KB, sha256 abababababab)" in table
    assert "measured on: Raspberry Pi 4 Model B Rev 1.4, aarch64, 4 cores\n" in table
    assert "Debian GNU/Linux 12 (bookworm), Python 3.11.2, fer-edge 0.1.0, numpy 1.24.2\n" in table
    assert "ondemand, 1800 of 1800 MHz, 45 °C before, 61 °C after, not throttled" in table
    assert "at least 1,024 runs and 10 s" in table
    rows = [line.split() for line in table.splitlines()]
    assert ["1", "on", "34.5", "40.0", "50.0", "35.2", "36.0", "300.0", "2,500.0", "2,000"] in rows
    assert ["detect", "19.00", "25.00", "31.25", "20.00"] in rows
    assert "50.0 pictures a second" in table
    assert "33.50 ms" in table
    assert "96 MB resident" in table
    assert "66.37% ± 0.79% top-1" in table
    assert "3,589 images of PublicTest in fer2013.csv" in table
    assert "warning" not in table
    assert max(map(len, table.splitlines())) <= 130


def test_thread_counts_above_the_cores_are_marked():
    table = to_table(MEASUREMENT)
    assert [line.split()[:2] for line in table.splitlines() if "2,500.0" in line] == [["1", "on"], ["8*", "off"]]
    assert "* more threads than the 4 cores of this machine" in table
    marks = [row["more_threads_than_cores"] for row in json.loads(to_json(MEASUREMENT))["latency"]]
    assert marks == [False, True]
    assert "*" not in to_table(changed(latency=LATENCY[:1]))


@pytest.mark.parametrize(("load", "warned"), [(0.4, False), (3.0, True)])
def test_a_busy_machine_is_a_warning(load, warned):
    moments = (dataclasses.replace(COOL, load_average=load), WARM)
    assert ("warning: the machine was busy" in to_table(changed(moments=moments))) == warned


def test_a_limited_clock_is_a_warning():
    moments = (dataclasses.replace(COOL, limit_mhz=600), WARM)
    assert "warning: the clock is limited to 600 of 1800 MHz" in to_table(changed(moments=moments))


@pytest.mark.parametrize("moments", [(COOL, HOT), (COOL, HOT, WARM), (HOT, WARM)], ids=["after", "between", "before"])
def test_a_throttled_run_is_marked(moments):
    measurement = changed(moments=moments)
    assert "THROTTLED: arm frequency capped, throttled; the times are not this machine's" in to_table(measurement)
    document = json.loads(to_json(measurement))
    assert document["throttled"] is True
    assert document["throttling"] == "arm frequency capped, throttled"


def test_an_unthrottled_run_says_so_and_an_unknown_one_does_not():
    assert json.loads(to_json(MEASUREMENT))["throttled"] is False
    silent = changed(moments=(dataclasses.replace(COOL, throttled=None),))
    assert json.loads(to_json(silent))["throttled"] is None
    assert "throttled" not in to_table(silent)


@pytest.mark.parametrize("short", [{"min_runs": 1023}, {"min_seconds": 9.9}])
def test_less_than_the_protocol_is_a_warning(short):
    assert "warning: shorter than the protocol" in to_table(changed(**short))
    assert json.loads(to_json(changed(**short)))["protocol"]["standard"] is False
    assert json.loads(to_json(MEASUREMENT))["protocol"]["standard"] is True


def test_only_a_live_source_waits_and_drops():
    live = to_table(changed(pipeline=dataclasses.replace(PIPELINE, live=True, dropped=1234)))
    assert "the wait for the camera" in live
    assert "1,234 pictures of the camera were dropped" in live
    assert "camera" not in to_table(MEASUREMENT)


def test_json_holds_everything():
    text = to_json(MEASUREMENT)
    document = json.loads(text)
    assert document["date"] == CONDITIONS.date
    assert document["machine"] == PI
    assert document["model"] == CONDITIONS.model
    assert document["protocol"]["min_runs"] == 1024
    assert document["before"] == dataclasses.asdict(COOL)
    assert document["after"] == dataclasses.asdict(WARM)
    assert document["latency"][0]["wall_us"] == json.loads(json.dumps(dataclasses.asdict(TIMES)))
    assert document["latency"][1]["xnnpack"] is False
    assert document["pipeline"]["stages_ms"]["total"]["p99"] == 31.25
    assert document["accuracy"] == dataclasses.asdict(ACCURACY)
    assert f'"p50": [{", ".join(["34.5"] * 20)}]' in text
    without = json.loads(to_json(changed(pipeline=None, accuracy=None)))
    assert without["pipeline"] is without["accuracy"] is None
