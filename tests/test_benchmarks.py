"""What the scripts in ``benchmarks/`` keep, and what they leave alone."""

import importlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ACCURACY = ROOT / "benchmarks" / "accuracy"
BASE = "--model nano --optimizer muon"


@pytest.fixture
def load(monkeypatch):
    for folder in (ACCURACY, ROOT / "benchmarks"):
        monkeypatch.syspath_prepend(str(folder))
    return importlib.import_module


MACHINE = {"architecture": "x86_64", "board": None, "processor": "some", "cores": 1}


def row(element, seed=1, accuracy=0.5, images=2721, epochs=10, base=BASE):
    options = f"{base} --epochs {epochs} --seed {seed}"
    found = {"holdout_accuracy": accuracy, "holdout_images": images, "machine": MACHINE}
    return {"element": element, "seed": seed, "options": options, "epochs": epochs, **found}


@pytest.fixture
def ablation(load, monkeypatch, tmp_path):
    module = load("ablation")
    monkeypatch.setattr(module, "RESULTS", tmp_path / "ablation.json")
    return module


def kept(ablation):
    return [(r["element"], r["seed"], r["holdout_accuracy"]) for r in json.loads(ablation.RESULTS.read_text())]


def test_an_ablations_row_is_added_or_renewed(ablation):
    for each in (row("base"), row("SAM"), row("base", seed=2), row("SAM", accuracy=0.6)):
        ablation.keep(each)
    assert kept(ablation) == [("base", 1, 0.5), ("SAM", 1, 0.6), ("base", 2, 0.5)]


@pytest.mark.parametrize("other", [{"epochs": 20}, {"base": f"{BASE} --dropout 0"}, {"base": "--model nano"}])
def test_an_ablations_rows_of_another_base_or_length_go(ablation, other):
    ablation.keep(row("base"))
    ablation.keep(row("SAM", **other))
    assert kept(ablation) == [("SAM", 1, 0.5)]


def test_ablations_side_by_side_keep_each_others_rows(ablation):
    code = """if True:
        import sys, pathlib
        sys.path.insert(0, sys.argv[1])
        import ablation
        ablation.RESULTS = pathlib.Path(sys.argv[2])
        for seed in range(50):
            ablation.keep({"element": sys.argv[3], "seed": seed, "options": "--model nano --epochs 10 --seed 1"})
    """
    names = ["base", "SAM", "cutmix"]
    processes = [subprocess.Popen([sys.executable, "-c", code, ACCURACY, ablation.RESULTS, name]) for name in names]
    assert [process.wait() for process in processes] == [0, 0, 0]
    rows = json.loads(ablation.RESULTS.read_text())
    assert {(r["element"], r["seed"]) for r in rows} == {(name, seed) for name in names for seed in range(50)}
    assert list(ablation.RESULTS.parent.iterdir()) == [ablation.RESULTS]


def test_what_misses_its_aim_is_in_bold(load, monkeypatch):
    aims = load("aims")
    read = aims._read

    def worse(name, latency):
        found = read(name, latency)
        found["evaluated"] = {**found["evaluated"], "top1": 0.684, "calibration_error": 0.0401}
        return found

    monkeypatch.setattr(aims, "_read", worse)
    rows = {
        line.split(" | ")[0].strip("| "): line.strip("| ").split(" | ")[1:] for line in aims.aims_table().splitlines()
    }
    assert rows["top-1"][:5] == ["68.4%", "68.4%", "**68.4%**", "**68.4%**", "**68.4%**"]
    assert rows["calibration error"][:5] == ["**4.0%**"] * 5
    assert rows["multiply-adds, M"][2] == "59.7"


def test_the_ablation_table_says_which_row_holds_out_other_images(load, monkeypatch, tmp_path):
    tables = load("tables")
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    (tmp_path / "accuracy").mkdir()
    rows = [row("cleaned", accuracy=0.52, images=2716), row("base"), row("SAM", accuracy=0.51)]
    (tmp_path / "accuracy" / "ablation.json").write_text(json.dumps(rows))
    text = tables.ablation_table()
    assert "| cleaned (on 2716 images) | +2.0 | 1 |" in text
    assert "| SAM | +1.0 | 1 |" in text
    assert "the base has 50.0% with seed 1, on 2721 held-out images" in text
    assert text.endswith("Run on: 1-core x86_64 workstation (some).")


@pytest.fixture
def measure(tmp_path):
    """Return a function that starts ``benchmarks/measure`` with a stand-in for fer-edge; results go to ``results``."""
    for folder in ("benchmarks", "edge/models", ".venv/bin", "results"):
        (tmp_path / folder).mkdir(parents=True)
    script, command = tmp_path / "benchmarks" / "measure", tmp_path / ".venv" / "bin" / "fer-edge"
    script.write_text((ROOT / "benchmarks" / "measure").read_text())
    (tmp_path / "edge" / "models" / "some.tflite").touch()
    (tmp_path / "results" / "some-evaluate.json").write_text("old\n")

    def start(evaluate):
        command.write_text(f'#!/bin/sh\n[ "$1" != evaluate ] || {{ {evaluate}; }}\n')
        command.chmod(0o755)
        return subprocess.Popen(
            ["bash", script, "data", "votes", "results"],
            cwd=tmp_path,
            start_new_session=True,
            # A suite started in the background ignores Ctrl-C, and so would all that it starts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    return start


def results(tmp_path):
    return {path.name: path.read_text() for path in (tmp_path / "results").iterdir()}


def test_a_measured_accuracy_replaces_the_old_one(measure, tmp_path):
    assert measure("echo new").wait() == 0
    assert results(tmp_path) == {"some-evaluate.json": "new\n"}


def test_a_failed_measurement_leaves_the_old_accuracy(measure, tmp_path):
    assert measure("echo half; exit 3").wait() == 3
    assert results(tmp_path) == {"some-evaluate.json": "old\n"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_killed_measurement_leaves_the_old_accuracy(measure, tmp_path, number):
    process = measure(f"echo half; touch begun; exec {sys.executable} -c 'import time; time.sleep(60)'")
    deadline = time.monotonic() + 30
    while not (tmp_path / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    subprocess.run(["kill", f"-{number}", "--", f"-{process.pid}"], check=True)
    assert process.wait(timeout=30) != 0
    assert results(tmp_path) == {"some-evaluate.json": "old\n"}
