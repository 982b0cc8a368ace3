"""The list of models says what the files and the networks say."""

import importlib.util
import json

import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.model_file import flatbuffer
from fer_edge.shipped import shipped_models
from fer_edge.train.zoo.registry import ZOO

REAL_FIND = importlib.util.find_spec


def listed():
    result = CliRunner().invoke(main, ["models", "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_shipped_models():
    shipped = {model["name"]: model for model in listed()["shipped"]}
    assert shipped.keys() == shipped_models().keys()
    for name, path in shipped_models().items():
        assert shipped[name]["bytes"] == path.stat().st_size
        assert 0.5 < shipped[name]["accuracy"] < 1
    assert [name for name, model in shipped.items() if model["default"]] == ["compact"]


def test_accuracies_on_labels_of_ferplus_are_marked():
    labels = {model["name"]: model["accuracy_labels"] for model in listed()["shipped"]}
    assert {name for name, kind in labels.items() if kind == "FER+"} == {"compact-ferplus"}
    assert set(labels.values()) == {"FER+", "FER2013"}
    table = CliRunner().invoke(main, ["models"]).stdout.partition("architecture")[0]
    assert [line.split()[0] for line in table.splitlines() if line.endswith("% (FER+)")] == ["compact-ferplus"]


def test_the_zoo_with_its_costs():
    zoo = {model["name"]: model for model in listed()["zoo"]}
    assert zoo.keys() == ZOO.keys()
    compact = next(model for model in listed()["shipped"] if model["name"] == "compact")
    # Batch norm has four numbers a channel, which conversion folds into one bias; pooling becomes a 2x2 convolution.
    channels = 24 + 24 + 40 + 48 + 64 + 64 + 96 + 12 + 24
    assert zoo["compact"]["multiply_adds"] == compact["multiply_adds"]
    assert zoo["compact"]["parameters"] == compact["parameters"] + 3 * channels - 5 * 96
    assert zoo["deep-cnn"]["parameters"] == 4_478_727
    assert zoo["cnn-lstm"]["parameters"] == 457_863


@pytest.mark.parametrize(("name", "limit"), [("nano", 3e6), ("compact", 12e6), ("large", 60e6)])
def test_the_family_keeps_to_its_multiply_adds(name, limit):
    assert next(model for model in listed()["zoo"] if model["name"] == name)["multiply_adds"] <= limit


def test_without_keras_the_costs_are_left_out(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "keras" else REAL_FIND(name))
    result = CliRunner().invoke(main, ["models"])
    assert result.exit_code == 0, result.output
    assert "compact (default)" in result.output
    assert "4,478,727" not in result.output
    assert "parameters" not in listed()["zoo"][0]


def test_a_tflite_file_of_strangers_is_described(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(flatbuffer(shipped_models()["compact"].read_bytes()))
    (said,) = json.loads(CliRunner().invoke(main, ["models", str(path), "--json"]).stdout)
    assert said["kind"] == "TFLite"
    assert said["inputs"] == ["int8 1x48x48x1"]
    assert said["lacks"][0].startswith("labels and an input definition")


def test_a_damaged_file_of_strangers_ends_in_one_line(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(flatbuffer(shipped_models()["compact"].read_bytes())[:5000])
    result = CliRunner().invoke(main, ["models", str(path)])
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)


def test_a_damaged_configuration_ends_in_one_line(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "net.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = "{"
    result = CliRunner().invoke(main, ["models", str(path)])
    assert result.exit_code == 1
    assert "configuration is damaged" in result.stderr
