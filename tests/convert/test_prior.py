"""Other priors in the last layer: the probabilities are those of Bayes' rule, in the file as in the arrays."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.convert import pipeline
from fer_edge.convert.prior import adjust_logits, class_shares
from fer_edge.errors import ConversionError, DataError
from fer_edge.labels import assumed_prior
from fer_edge.model_file import read_info, write_info
from fer_edge.runtime import TFLiteModel
from fer_edge.train.data.dataset import PUBLIC_TEST, TRAINING, Dataset
from fer_edge.train.keras_model import load_model
from fer_edge.train.keras_setup import load_keras

from .conftest import write_csv


def divided(scores, shares, power):
    weighted = scores / shares**power
    return weighted / weighted.sum(axis=1, keepdims=True)


def test_shares_are_of_labels_and_never_none(tiny):
    training = tiny.split(TRAINING)
    shares = class_shares(training.take(training.labels < 2), 7)
    assert np.allclose(shares, np.array([30, 30, 0.5, 0.5, 0.5, 0.5, 0.5]) / 62.5)


@pytest.mark.parametrize("power", [0.0, 0.3, 1.0])
def test_probabilities_are_divided_by_powers_of_the_shares(trained, tiny, power):
    model = load_model(trained)
    images, shares = tiny.split(PUBLIC_TEST).images, np.array([0.4, 0.02, 0.08, 0.2, 0.1, 0.1, 0.1])
    before = model.predict(images)
    adjust_logits(model.model, shares, power)
    assert np.allclose(model.predict(images), divided(before, shares, power), atol=1e-5)


def test_a_temperature_divides_logits_before_the_priors_change(trained, tiny):
    model = load_model(trained)
    images, shares = tiny.split(PUBLIC_TEST).images, np.array([0.4, 0.02, 0.08, 0.2, 0.1, 0.1, 0.1])
    before = model.predict(images).astype(np.float64)
    adjust_logits(model.model, shares, 0.3, 0.8)
    assert np.allclose(model.predict(images), divided(before ** (1 / 0.8), shares, 0.3), atol=1e-4)


@pytest.mark.parametrize("temperature", ["0", "-1", "0.1", "6", "nan"])
def test_a_temperature_out_of_range_is_refused(trained, temperature, tmp_path):
    arguments = ["convert", str(trained), "--int8", "--data", "demo", "--out", str(tmp_path / "x.tflite")]
    assert CliRunner().invoke(main, [*arguments, "--temperature", temperature]).exit_code == 2


def test_the_file_is_adjusted_by_the_shares_of_training(trained, tiny, tmp_path):
    kept = tiny.split(TRAINING)
    kept = kept.take((kept.labels != 3) | (np.arange(len(kept)) % 5 == 0))
    unequal = Dataset.make("unequal", tiny.labels, {**tiny.splits, TRAINING: kept})
    data, out = write_csv(tmp_path / "unequal.csv", unequal), tmp_path / "float.tflite"
    arguments = ["convert", str(trained), "--float", "--data", str(data), "--out", str(out), "--json"]
    result = CliRunner().invoke(main, [*arguments, "--logit-adjustment", "0.5", "--temperature", "0.9"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["logit_adjustment"] == 0.5
    assert report["temperature"] == 0.9
    assert report["comparison"]["agreement"] == 1  # with the float model of the same priors
    assert read_info(out).conversion["logit_adjustment"] == 0.5
    halved = np.bincount(kept.labels) ** 0.5
    weighting = (
        read_info(trained).training["recipe"]["class_weighting"] if "recipe" in read_info(trained).training else 0
    )
    assert weighting == 0
    assert list(assumed_prior(read_info(out)).values()) == pytest.approx(halved / halved.sum(), abs=1e-4)
    images = tiny.split(PUBLIC_TEST).images
    shares = np.bincount(kept.labels) / len(kept)
    expected = divided(load_model(trained).predict(images).astype(np.float64) ** (1 / 0.9), shares, 0.5)
    assert np.allclose(TFLiteModel(out, allow_float=True).predict(images), expected, atol=1e-4)


def test_a_model_without_biases_at_its_end_is_refused():
    keras = load_keras()
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Softmax()(keras.layers.Dense(2, use_bias=False)(inputs)))
    with pytest.raises(ConversionError, match="expected a dense layer with biases at the end"):
        adjust_logits(model, np.array([0.5, 0.5]), 0.3)


@pytest.mark.parametrize("power", ["-0.1", "1.5", "nan"])
def test_a_power_out_of_range_is_refused(trained, power, tmp_path):
    arguments = ["convert", str(trained), "--int8", "--data", "demo", "--out", str(tmp_path / "x.tflite")]
    assert CliRunner().invoke(main, [*arguments, "--logit-adjustment", power]).exit_code == 2


def test_without_it_the_file_says_nothing_of_it(trained, csv_file, tmp_path):
    out = tmp_path / "plain.tflite"
    arguments = ["convert", str(trained), "--float", "--data", str(csv_file), "--out", str(out)]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert "logit_adjustment" not in read_info(out).conversion
    assert read_info(out).framing == "box"


def test_the_file_says_that_crops_are_upright(trained, csv_file, tmp_path):
    out = tmp_path / "upright.tflite"
    arguments = ["convert", str(trained), "--float", "--data", str(csv_file), "--out", str(out), "--upright"]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert read_info(out).framing == "eyes"


def test_of_a_model_of_other_data_the_file_says_no_prior(trained, csv_file, tmp_path):
    model = tmp_path / "model.keras"
    shutil.copy(trained, model)
    info = read_info(model)
    training = {**info.training, "data": {"name": "fer2013.csv", "fingerprint": "0" * 64}}
    write_info(model, dataclasses.replace(info, training=training))
    out = tmp_path / "other.tflite"
    arguments = ["convert", str(model), "--float", "--data", str(csv_file), "--out", str(out)]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert read_info(out).conversion["prior"] == {}
    assert assumed_prior(read_info(out)) is None


@pytest.mark.parametrize(("upright", "framing"), [(False, "box"), (True, "eyes")])
def test_images_are_framed_as_the_device_frames_them(trained, tmp_path, monkeypatch, upright, framing):
    forms = []

    def load(*_, form, **__):
        forms.append(form)
        raise DataError("that is all")

    monkeypatch.setattr(pipeline, "load_dataset", load)
    arguments = ["convert", str(trained), "--float", "--data", "demo", "--out", str(tmp_path / "x.tflite")]
    CliRunner().invoke(main, [*arguments, *["--upright"] * upright])
    assert [form.framing for form in forms] == [framing]
