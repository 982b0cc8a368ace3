"""``benchmarks/accuracy/shapes.py`` puts some shapes beside the others of its table, or says why it cannot."""

import importlib
import json
from pathlib import Path

import pytest

from fer_edge.errors import MeasurementError
from fer_edge.machine import describe_machine

pytest.importorskip("tensorflow")
FOLDER = Path(__file__).parents[3] / "benchmarks" / "accuracy"


@pytest.fixture
def shapes(monkeypatch, tmp_path):
    """The script, with a table of two shapes of 12 epochs in a folder of its own."""
    monkeypatch.syspath_prepend(str(FOLDER))
    module = importlib.import_module("shapes")
    monkeypatch.setattr(module, "RESULTS", tmp_path / "shapes.json")
    module.keep({name: {"epochs": 12, "us": 10.0} for name in ("ReLU", "nano")}, 12)
    return module


def table(shapes):
    return {name: row["us"] for name, row in json.loads(shapes.RESULTS.read_text())["shapes"].items()}


def test_some_shapes_leave_the_others_in_the_table(shapes):
    shapes.keep({"nano": {"epochs": 12, "us": 20.0}, "residual": {"epochs": 12, "us": 30.0}}, 12)
    assert table(shapes) == {"ReLU": 10.0, "nano": 20.0, "residual": 30.0}
    assert [path.name for path in shapes.RESULTS.parent.iterdir()] == ["shapes.json"]


def test_all_shapes_make_a_new_table(shapes):
    shapes.keep({name: {"epochs": 3, "us": 20.0} for name in shapes.SHAPES}, 3)
    assert table(shapes) == dict.fromkeys(shapes.SHAPES, 20.0)


def test_the_only_shapes_there_may_be_replaced(shapes):
    shapes.keep({name: {"epochs": 3, "us": 20.0} for name in ("ReLU", "nano")}, 3)
    assert table(shapes) == {"ReLU": 20.0, "nano": 20.0}


def test_other_epochs_or_another_machine_are_refused_before_anything_is_done(shapes, monkeypatch):
    before = shapes.RESULTS.read_text()
    monkeypatch.setattr("sys.argv", ["shapes.py", "no.csv", "no.csv", "--only", "nano", "--epochs", "3"])
    with pytest.raises(MeasurementError) as refused:
        shapes.main()
    assert str(refused.value) == (
        "shapes.json: expected the other shapes to have 3 epochs and this machine, found 12 epochs; "
        "without --only all are measured"
    )
    monkeypatch.setattr(shapes, "describe_machine", lambda: describe_machine() | {"processor": "another"})
    with pytest.raises(MeasurementError, match="found other processor; without"):
        shapes.others(["nano"], 12)
    assert shapes.RESULTS.read_text() == before


def test_runs_of_other_epochs_do_not_count(shapes, tmp_path):
    run = shapes.folder(tmp_path, "narrow and deep, residual", 12, 2)
    run.mkdir()
    (run / shapes.METADATA).write_text('{"finished": "now"}')
    assert run.name == "narrow-and-deep-residual-12-epochs-2"
    assert shapes.seeds_there(tmp_path, "narrow and deep, residual", 12) == [2]
    assert shapes.seeds_there(tmp_path, "narrow and deep, residual", 3) == []
