"""The published systems' claims: their commands exist, a row is made once, and the page says what the results say."""

import dataclasses
import importlib
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from fer_edge.train.commands.train import configuration_of, train
from fer_edge.train.zoo.registry import ZOO

FOLDER = Path(__file__).parents[3] / "benchmarks" / "ancestors"


@pytest.fixture
def load(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module


def test_the_page_is_generated_from_the_results():
    command = [sys.executable, FOLDER / "table.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_rows_command_can_be_parsed(load):
    rows, run = load("rows"), load("run")
    setting = run.Setting(dict.fromkeys(rows.DATA, "demo"), "runs")
    for row in rows.ROWS:
        for protocol in () if row.members else rows.PROTOCOLS:
            name, *words = setting.train_command(row, protocol)
            with click.Context(train) as context:
                train.parse_args(context, words)
                found = configuration_of(context)
            assert name == "train"
            assert found.model in ZOO
            assert found.recipe.epochs == row.epochs
            assert found.recipe.resample == row.resample
            assert (found.leaky or not found.recipe.drop_leaks) == (protocol == rows.THEIRS)
            assert found.recipe.clean == (protocol == rows.HONEST)
            assert (found.recipe.holdout == 0) == found.leaky


def test_an_ensembles_members_are_run_before_it(load):
    rows = load("rows").ROWS
    names = [row.name for row in rows]
    assert len(set(names)) == len(names)
    for position, row in enumerate(rows):
        assert set(row.members) <= set(names[:position])
        assert row.members or row.options


def test_a_row_is_made_once(load, fer_csv, tmp_path):
    # One class has a fifth of the others' images, so that balancing copies each of them four times.
    header, *lines = fer_csv.read_text().splitlines()
    rare = [line for line in lines if line.startswith("6,")]
    fer_csv.write_text("\n".join([header, *(line for line in lines if line not in rare or line in rare[::5])]) + "\n")
    rows, run = load("rows"), load("run")
    row = rows.Row("tiny", "a test", 50.0, ("--preset", "jain", "--model", "nano"), 1, "ros")
    setting = run.Setting({"fer2013": str(fer_csv)}, str(tmp_path / "runs"), precision="float32")
    result = run.make(row, rows.THEIRS, setting, tmp_path)
    found = json.loads(result.read_text())
    assert found["split"] == "PublicTest of fer2013.csv (leaky ros)"
    assert (found["training_images"], found["images"]) == (139, 18)
    leak = found["leak"]
    assert leak["identical"] <= leak["derived"]
    mean = leak["derived"] * leak["top1_derived"] + (1 - leak["derived"]) * leak["top1_others"]
    assert mean == pytest.approx(found["float"]["top1"], abs=0.001)
    assert 0 <= found["float"]["top1"] <= 1
    assert 0.9 <= found["int8"]["agreement"] <= 1
    assert str(tmp_path) not in result.read_text()
    assert found["commands"][0].startswith("fer-edge train fer2013.csv --preset jain --model nano --resample ros")

    before = result.stat().st_mtime_ns, (tmp_path / "runs/tiny-theirs/model.keras").stat().st_mtime_ns
    run.make(row, rows.THEIRS, setting, tmp_path)
    run.train(row, rows.THEIRS, setting)  # a finished run without a result is not trained again either
    assert (result.stat().st_mtime_ns, (tmp_path / "runs/tiny-theirs/model.keras").stat().st_mtime_ns) == before

    with pytest.raises(SystemExit, match="both: expected the models of its members, found none in .*other-theirs"):
        absent = dataclasses.replace(row, name="other")
        run.find = {"tiny": row, "other": absent}.get
        run.make(rows.Row("both", "a test", None, members=("tiny", "other")), rows.THEIRS, setting, tmp_path)


def result(row, protocol, top1, agreement=0.99, **more):
    figures = {"top1": top1, "top1_se": 0.01, "macro_f1": top1, "balanced_accuracy": top1}
    int8 = {**figures, "agreement": agreement, "bytes": 2048, "us": 30.4}
    machine = {"cores": 2, "architecture": "x86_64", "processor": "a processor"}
    trained = {"trained_epochs": 4, "kept_epoch": 3, "training_images": 1000, "train_seconds": 600, "images": 100}
    common = {
        "row": row,
        "protocol": protocol,
        "float": figures,
        "int8": int8,
        "machine": machine,
        "split": "PublicTest",
    }
    return (row, protocol), {**common, **trained, **more}


def line(text, name):
    return next(row for row in text.splitlines() if row.startswith(f"| `{name}` |"))


def test_the_table_shows_both_protocols_and_what_was_not_run(load):
    table = load("table")
    results = dict([result("cnn-lstm", "theirs", 0.8), result("cnn-lstm", "honest", 0.5, agreement=0.96)])
    text = table.claims_table(results)
    cells = [cell.strip() for cell in line(text, "cnn-lstm").split("|")[3:-1]]
    assert cells == [
        *("82.45%", "80.0% ± 1.0%", "50.0% ± 1.0%", "50.0%", "50.0% ± 1.0%", "99.0%, **96.0%**"),
        *("2 KB", "30 µs", "4 of 48"),
    ]
    assert "| not run (needs a GPU) |" in line(text, "vgg-tuned")
    assert "| not run |" in line(text, "jain")
    assert "a processor" in text


def test_the_leak_stands_beside_its_accuracy(load):
    leak = {"identical": 0.6, "derived": 0.7, "top1_derived": 0.9, "top1_others": None}
    text = load("table").leaks_table(dict([result("cnn-lstm", "theirs", 0.8, leak=leak)]))
    assert "| 100 of PublicTest | 60.0% | 70.0% | 90.0% |  | 3 | 10 min |" in line(text, "cnn-lstm")


def test_the_lead_of_the_deep_network(load):
    results = dict([result("stanford-deep", "honest", 0.6), result("stanford-shallow", "honest", 0.5)])
    assert "found: +10.0 ± 1.4 points (honest, after 4 and 4 epochs)" in load("table").lead(results)
