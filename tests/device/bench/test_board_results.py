"""The results that came from boards: what is refused, and what the page makes of them."""

import copy
import dataclasses
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from fer_edge.device.bench.report import to_json
from fer_edge.model_file import file_hash
from fer_edge.shipped import shipped_models
from tests.device.bench.test_report import HOT, MEASUREMENT

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "benchmarks" / "boards.py"


@pytest.fixture(scope="module")
def boards():
    spec = importlib.util.spec_from_file_location("boards", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def result():
    """Return a result of a Raspberry Pi 4 that nothing is wrong with."""
    return json.loads(to_json(MEASUREMENT))


def run(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)


def test_the_page_shows_the_results_and_all_of_them_are_fine():
    done = run("--check")
    assert done.returncode == 0, done.stderr


def test_a_file_is_checked_before_it_is_sent_in(result, tmp_path):
    good, bad = tmp_path / "pi4-os12.json", tmp_path / "Pi 4.json"
    good.write_text(json.dumps(result))
    assert run(good).stdout == "1 fine\n"
    bad.write_text(json.dumps(result))
    done = run(good, bad)
    assert done.returncode == 1
    assert done.stderr.startswith("Pi 4.json: its name")
    assert "Traceback" not in done.stderr


def test_a_whole_result_is_fine(boards, result):
    assert list(boards.complaints("pi4-os12-compact.json", json.dumps(result))) == []


def drop_accuracy_key(result):
    del result["accuracy"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda r: r["machine"].update(architecture="x86_64"), "$.machine"),
        (lambda r: r["machine"].update(board=None), "$.machine"),
        (lambda r: r.update(schema="fer-edge-bench/0"), "$.schema"),
        (lambda r: r["latency"].clear(), "$.latency"),
        (lambda r: r["latency"][0]["wall_us"].update(p50=float("nan")), "$.latency[0].wall_us.p50"),
        (lambda r: r["latency"][0]["wall_us"].update(p50=-1.0), "$.latency[0].wall_us.p50"),
        (drop_accuracy_key, "'accuracy' is a required property"),
        (lambda r: r["protocol"].update(standard=False), "for less than the protocol asks for"),
        (lambda r: r["protocol"].update(min_runs=5), "minimum of 1024"),
        (lambda r: r["latency"].pop(0), "it lacks one thread with XNNPACK on"),
        (lambda r: r["latency"][0]["wall_us"].update(p50=41.0), "its percentiles do not rise"),
        (lambda r: r["pipeline"]["stages_ms"]["total"].update(p99=1.0), "total: its percentiles do not rise"),
        (lambda r: r["latency"][0].update(runs=1000), "fewer runs or seconds than its protocol says"),
        (lambda r: r["latency"][0].update(runs=10**6), "1000000 runs of 35.2 us need 35.2 s"),
    ],
)
def test_what_cannot_be_is_refused(boards, result, change, complaint):
    change(result)
    assert any(complaint in each for each in boards.complaints("pi.json", json.dumps(result)))


def test_text_is_refused(boards):
    (complaint,) = boards.complaints("pi.json", "not JSON")
    assert complaint.startswith("it is no JSON")


def test_a_workstation_never_stands_among_the_raspberry_pis(boards, result):
    workstation = copy.deepcopy(result)
    workstation["machine"] |= {"kind": "workstation", "board": None, "architecture": "x86_64", "processor": "EPYC"}
    page = boards.page_tables({"pi4.json": result, "pc.json": workstation})
    pis, others = page.split("## Not a Raspberry Pi")
    assert "| Raspberry Pi 4 Model B Rev 1.4 |" in pis
    assert "pc.json" not in pis
    assert "| 4-core x86_64 workstation (EPYC) |" in others
    assert "pi4.json" not in others


def test_a_row_shows_the_figures(boards, result):
    (row,) = (line for line in boards.page_tables({"pi4.json": result}).splitlines() if "pi4.json" in line)
    assert "| 34 µs, 40 µs, 50 µs |" in row
    assert "| 20.0 ms (demo, 640x480) |" in row
    assert "| 66.4% ± 0.8% (PublicTest) |" in row
    assert "45 to 61 °C" in row
    assert "**" not in row


def test_a_former_file_of_a_shipped_model_is_marked(boards, result):
    def cell(**model):
        changed = result | {"model": result["model"] | model}
        return boards.page_tables({"pi4.json": changed}).partition("pi4.json")[0].splitlines()[-1].split(" | ")[2]

    hashes = {path.stem: file_hash(path) for path in shipped_models().values()}
    assert cell(sha256=hashes["compact"]) == f"`compact` ({hashes['compact'][:12]})"
    ferplus = hashes["compact-ferplus"]  # whose architecture is called compact
    assert cell(sha256=ferplus, file="copy.tflite") == f"`compact-ferplus` ({ferplus[:12]})"
    assert cell() == "`compact` (former file, abababababab)"
    assert cell(file="mine.tflite") == "`compact` (abababababab)"


def test_throttled_and_busy_results_are_marked(boards):
    busy = dataclasses.replace(MEASUREMENT.moments[0], load_average=3.0)
    hot = dataclasses.replace(MEASUREMENT, moments=(busy, HOT))
    page = boards.page_tables({"pi4.json": json.loads(to_json(hot))})
    assert "**throttled: arm frequency capped, throttled**" in page
    assert "**busy with other work**" in page
