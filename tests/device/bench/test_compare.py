import copy
import json

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.device.bench.compare import compare, ratio_of
from fer_edge.device.bench.document import Time, read_document
from fer_edge.device.bench.model import BATCHES
from fer_edge.device.bench.report import to_json
from fer_edge.errors import MeasurementError
from tests.device.bench.test_report import MEASUREMENT

A = json.loads(to_json(MEASUREMENT))


@pytest.fixture
def write(tmp_path):
    def write(name, document):
        path = tmp_path / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    return write


@pytest.fixture
def b():
    """Twice as slow on one thread as `A`, and a point more accurate."""
    document = copy.deepcopy(A)
    wall = document["latency"][0]["wall_us"]
    wall["p50"] *= 2
    wall["batches"]["p50"] = [2 * value for value in wall["batches"]["p50"]]
    document["accuracy"]["top1"] += 0.01
    return document


def run(*arguments):
    return CliRunner().invoke(main, ["bench", "--compare", *map(str, arguments)])


def timed(batches):
    return Time(batches.mean(), batches)


def one_line_error(result):
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_a_ratio_lies_in_its_interval_and_the_interval_grows_with_the_spread():
    rng = np.random.default_rng(1)
    base = timed(np.full(BATCHES, 100.0))
    steady, wild = (ratio_of(base, timed(150 + spread * rng.standard_normal(BATCHES))) for spread in (1, 20))
    for ratio in (steady, wild):
        assert ratio.low < ratio.ratio < ratio.high
        assert ratio.ratio == pytest.approx(1.5, rel=0.1)
    assert wild.high - wild.low > 5 * (steady.high - steady.low)


def test_the_interval_holds_the_true_ratio_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(200):
        ratio = ratio_of(*(timed(rng.normal(100, 10, BATCHES)) for _ in range(2)))
        inside += ratio.low <= 1 <= ratio.high
    assert 0.88 <= inside / 200 <= 0.99


def test_too_few_batches_or_no_time_give_no_ratio():
    times = np.ones(BATCHES)
    assert ratio_of(timed(times[1:]), timed(times)) is None
    assert ratio_of(timed(np.zeros(BATCHES)), timed(times)) is None


def test_ratios_of_what_both_measured(write, b):
    comparison = compare(read_document(write("a.json", A)), read_document(write("b.json", b)))
    assert comparison.latency[1, True, "p50"].ratio == pytest.approx(2)
    assert comparison.latency[1, True, "p99"].ratio == pytest.approx(1)
    assert comparison.latency[8, False, "p50"].ratio == pytest.approx(1)
    assert comparison.stages["total"].ratio == pytest.approx(1)
    difference, error = comparison.top1_difference
    assert difference == pytest.approx(0.01)
    assert error == pytest.approx(0.0079 * 2**0.5)
    assert comparison.warnings == ()


def test_the_command_prints_ratios(write, b):
    result = run(write("a.json", A), write("b.json", b))
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["1", "on", "p50", "34.5", "69.0", "2.000", "[2.000,", "2.000]"] in rows
    assert "A: a.json, compact.tflite (abababababab), Raspberry Pi 4 Model B Rev 1.4" in result.stdout
    assert "+1.00 ± 1.12 points" in result.stdout
    assert "bootstrap" in result.stdout
    assert "warning" not in result.stdout


def test_the_command_prints_json(write, b):
    result = run(write("a.json", A), write("b.json", b), "--json")
    document = json.loads(result.stdout)
    assert document["a"]["machine"] == A["machine"]
    first = document["latency_us"][0]
    assert (first["threads"], first["xnnpack"], first["percentile"]) == (1, True, "p50")
    assert first["low"] <= first["ratio"] <= first["high"]
    assert "bootstrap" in document["method"]


def test_what_makes_a_comparison_doubtful_is_said(write, b):
    b["machine"] |= {"kind": "workstation", "board": None, "architecture": "x86_64"}
    b["machine"]["versions"]["numpy"] = "2.0.0"
    b["model"]["sha256"] = "ef" * 32
    b["throttling"] = "under-voltage"
    b["protocol"]["standard"] = False
    b["pipeline"]["source"] = "film.mp4"
    result = run(write("a.json", A), write("b.json", b))
    assert result.exit_code == 0, result.output
    for warning in (
        "the machines differ: Raspberry Pi 4 Model B Rev 1.4, aarch64, 4 cores and x86_64 workstation, 4 cores; not",
        "the models differ: compact.tflite (abababababab) and compact.tflite (efefefefefef)",
        "the software differs: numpy 1.24.2 and 2.0.0",
        "b.json was throttled (under-voltage)",
        "b.json was measured for less than the protocol asks for",
        "the loops worked on different pictures",
    ):
        assert f"warning: {warning}" in result.stdout
    assert "Device loop" not in result.stdout


def test_accuracy_on_other_images_is_not_compared(write, b):
    b["accuracy"]["fingerprint"] = "00" * 32
    assert "Top-1" not in run(write("a.json", A), write("b.json", b)).stdout


def test_nothing_in_common_is_one_line(write, b):
    b["latency"] = [{**row, "threads": 3} for row in b["latency"]]
    b["pipeline"] = None
    assert "expected something measured in both" in one_line_error(run(write("a.json", A), write("b.json", b)))


@pytest.mark.parametrize(
    "other",
    ["", "no JSON", "[]", "null", "{}", '{"schema": 1}', {**A, "schema": "fer-edge-bench/2"}],
    ids=["empty", "text", "list", "null", "object", "a frame's line", "another schema"],
)
def test_files_of_another_kind_are_refused_in_one_line(write, other):
    error = one_line_error(run(write("a.json", A), write("other.json", other)))
    assert "other.json: expected a result of 'fer-edge bench --out'" in error


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.pop("latency"),
        lambda d: d.update(latency=3),
        lambda d: d.update(pipeline={"source": "demo"}),
        lambda d: d["latency"][0]["wall_us"].pop("batches"),
        lambda d: d["latency"][0]["wall_us"]["batches"].update(p50=["fast"]),
        lambda d: d["latency"][0]["wall_us"]["batches"].update(p50=[]),
        lambda d: d["latency"][0]["wall_us"]["batches"].update(p50=[float("nan")] * 20),
        lambda d: d["machine"].pop("board"),
        lambda d: d["machine"].update(versions=None),
        lambda d: d.update(accuracy=[]) or d.update(model="compact"),
    ],
)
def test_damaged_documents_are_refused(write, b, damage):
    damage(b)
    with pytest.raises(MeasurementError, match="damaged"):
        read_document(write("b.json", b))


def test_a_file_that_does_not_exist_is_wrong_usage(write, tmp_path):
    result = run(write("a.json", A), tmp_path / "absent.json")
    assert result.exit_code == 2
    assert "absent.json" in result.stderr


@pytest.mark.parametrize("option", [("--runs", "5"), ("--out", "c.json"), ("--data", "demo"), ("--model", "compact")])
def test_options_of_a_measurement_are_refused(write, option):
    result = run(write("a.json", A), write("b.json", A), *option)
    assert result.exit_code == 2
    assert f"--compare measures nothing and takes no {option[0]}" in result.stderr


def test_the_percentiles_are_those_that_the_measurement_printed(write, b):
    """The mean over 20 batches' p99 is another figure than the p99 of all runs."""
    for document in (A, b):
        assert document["latency"][0]["wall_us"]["p99"] == 50
    b["latency"][0]["wall_us"]["p99"] = 90.0
    b["latency"][0]["wall_us"]["batches"]["p99"] = [60.0, 100.0] * 10
    b["pipeline"]["stages_ms"]["total"]["mean"] = 30.0
    result = run(write("a.json", A), write("b.json", b))
    rows = [line.split() for line in result.stdout.splitlines()]
    (row,) = (row for row in rows if row[:3] == ["1", "on", "p99"])
    assert row[3:6] == ["50.0", "90.0", "1.800"]
    assert float(row[6].strip("[,")) < 1.8 < float(row[7].strip("]"))
    assert ["total", "20.00", "30.00", "1.500"] in [row[:4] for row in rows]


@pytest.mark.parametrize("threads", ["Infinity", "NaN"])
def test_threads_that_are_no_number_of_threads(write, threads):
    text = json.dumps(A).replace('"threads": 8', f'"threads": {threads}')
    assert text != json.dumps(A)
    with pytest.raises(MeasurementError, match="damaged"):
        read_document(write("b.json", text))


@pytest.mark.parametrize("wrong", [None, "fast", float("inf"), -1.0, [34.5], 10**400])
def test_percentiles_that_are_no_times(write, b, wrong):
    b["latency"][0]["wall_us"]["p50"] = wrong
    with pytest.raises(MeasurementError, match="damaged"):
        read_document(write("b.json", b))
