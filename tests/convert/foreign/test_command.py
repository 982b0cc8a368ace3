"""A foreign colour network through the commands, from ``convert`` to ``image``."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.convert.foreign.told import is_foreign, name_of, read_labels
from fer_edge.errors import ConfigError
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import read_info
from fer_edge.runtime import TFLiteModel
from fer_edge.train.data.form import Form
from fer_edge.train.data.load import load_dataset
from fer_edge.train.keras_setup import load_keras
from tests.convert.conftest import write_csv

ALPHABETIC = tuple(sorted(EXPRESSIONS))


def call(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


@pytest.fixture(scope="module")
def csv(tiny, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "fer2013.csv"
    write_csv(path, tiny)
    return path


@pytest.fixture(scope="module")
def network(csv, tmp_path_factory):
    """RGB, 32 x 32, logits, classes in the order of the alphabet, as a folder of images gives them."""
    keras = load_keras()
    keras.utils.set_random_seed(4)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.Conv2D(8, 3, 2, padding="same", activation="relu"),
            layers.Conv2D(16, 3, 2, padding="same", activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(7),
        ]
    )
    training = load_dataset(str(csv), form=Form(32, 3)).split("Training")
    assert training.images.shape[1:] == (32, 32, 3)
    labels = np.array([ALPHABETIC.index(EXPRESSIONS[label]) for label in training.labels])
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(training.images / np.float32(127.5) - 1, labels, batch_size=35, epochs=15, verbose=0)
    path = tmp_path_factory.mktemp("network") / "mine.keras"
    model.save(path)
    return path


@pytest.fixture(scope="module")
def converted(network, csv, tmp_path_factory):
    out = tmp_path_factory.mktemp("converted") / "mine.tflite"
    result = call(
        *("convert", network, "--int8", "--qat-epochs", 0, "--data", csv, "--out", out, "--json"),
        *("--labels", ",".join(ALPHABETIC), "--scale", "-1..1"),
    )
    assert result.exit_code == 0, result.output
    return out, json.loads(result.stdout)


def test_it_agrees_with_the_network_and_says_what_was_changed(converted):
    out, report = converted
    assert report["comparison"]["float_top1"] > 0.5  # chance is 0.14; its classes are matched by name
    assert report["comparison"]["agreement"] >= 0.9
    assert {"CONV_2D", "SOFTMAX"} <= set(report["operators"])
    assert len(report["notes"]) == 2
    info = read_info(out)
    assert (info.name, info.labels, info.input_size, info.channels, info.input_zero) == ("mine", ALPHABETIC, 32, 3, 128)


def test_evaluation_matches_classes_by_name(converted, csv):
    out, report = converted
    result = call("evaluate", out, "--data", csv, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["top1"] == pytest.approx(report["comparison"]["top1"])


def test_models_describes_it_and_its_network(converted, network):
    said = call("models", converted[0]).stdout
    assert "32x32 RGB pixels" in said
    assert "lacks" not in said
    said = call("models", network).stdout
    assert "3 Conv2D" in said
    assert "--labels" in said


def test_it_runs_on_a_device(converted):
    from importlib import resources

    out = converted[0]
    portrait = resources.files("fer_edge") / "device" / "portrait.jpg"
    result = call("image", portrait, "--model", out, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)[0]["faces"][0]["label"] in EXPRESSIONS
    model = TFLiteModel(out)
    crop = np.zeros((32, 32, 3), np.uint8)
    assert model.scores(crop).shape == (7,)
    result = call("bench", "--model", out, "--micro")
    assert "ESTIMATE" in result.stdout
    assert "Cortex-M7" in result.stdout
    assert call("bench", "--model", out, "--micro", "--runs", 3).exit_code == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give --labels"),
        (("--labels", "a,b"), "expected 7 for the outputs"),
        (("--labels", "a,a"), "two or more different names"),
        (("--labels", ",".join(ALPHABETIC)), "give --scale"),
        (
            ("--labels", ",".join(ALPHABETIC), "--scale", "0..1", "--temperature", 2),
            "are for models that fer-edge train",
        ),
    ],
)
def test_what_is_not_told_is_asked_for(network, csv, tmp_path, options, said):
    result = call("convert", network, "--int8", "--data", csv, "--out", tmp_path / "x.tflite", *options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not list(tmp_path.iterdir())


def test_own_models_say_it_themselves(trained, csv, tmp_path):
    result = call("convert", trained, "--int8", "--data", csv, "--out", tmp_path / "x.tflite", "--labels", "a,b")
    assert result.exit_code == 2
    assert "--labels is for networks that fer-edge did not train" in result.stderr


def test_names(tmp_path, trained):
    assert read_labels(" Anger, HAPPINESS ,neutral") == ("angry", "happy", "neutral")
    path = tmp_path / "labels.txt"
    path.write_text("sad\n\nfear\n")
    assert read_labels(path) == read_labels(["sad", "fear"]) == ("sad", "fear")
    with pytest.raises(ConfigError, match="found none"):
        read_labels(",")
    assert name_of(tmp_path / "compact.keras") == "own-compact"
    assert name_of(tmp_path / "saved") == "saved"
    assert not is_foreign(trained)
    assert is_foreign(tmp_path)
