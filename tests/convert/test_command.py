"""``fer-edge convert`` as a user runs it."""

import dataclasses
import json
import shutil
import stat
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, read_info, write_info
from fer_edge.runtime import TFLiteModel
from fer_edge.train.data.dataset import PRIVATE_TEST, PUBLIC_TEST, TRAINING, Dataset
from fer_edge.train.data.load import load_dataset
from fer_edge.train.keras_setup import load_keras
from tests.convert.conftest import write_csv


def convert(*arguments):
    return CliRunner().invoke(main, ["convert", *map(str, arguments)])


@pytest.fixture(scope="module")
def converted(trained, csv_file, tmp_path_factory):
    """The model of ``--int8``, what was printed, and the folder it is in."""
    out = tmp_path_factory.mktemp("converted") / "model.tflite"
    result = convert(trained, "--int8", "--data", csv_file, "--out", out, "--qat-epochs", 1, "--json")
    assert result.exit_code == 0, result.output
    return out, result


def test_it_leaves_a_model_and_a_report_and_nothing_else(converted):
    out, _ = converted
    assert {path.name for path in out.parent.iterdir()} == {"model.tflite", "model.tflite.report.json"}


def test_json_is_one_document_equal_to_the_report(converted, csv_file):
    out, result = converted
    document = json.loads(result.stdout)
    assert document == json.loads((out.parent / "model.tflite.report.json").read_text())
    assert document["file_bytes"] == out.stat().st_size
    assert document["quantization"] == "int8 qat"
    assert document["operators"] == {"SPACE_TO_DEPTH": 1, "CONV_2D": 3, "MEAN": 1, "FULLY_CONNECTED": 1, "SOFTMAX": 1}
    assert document["comparison"]["split"] == PUBLIC_TEST
    assert document["comparison"]["images"] == 70
    assert document["data"] == {"name": "fer2013.csv", "fingerprint": load_dataset(str(csv_file)).fingerprint}
    assert document["seconds"]["total"] >= document["seconds"]["fine-tuning"]


def test_the_file_says_how_it_came_to_be(converted, trained):
    out, result = converted
    info = read_info(out)
    assert (info.name, info.labels, info.input_size) == ("compact", EXPRESSIONS, 48)
    assert info.training == read_info(trained).training == {"run": "0123456789abcdef"}
    conversion = info.conversion
    assert (conversion["quantization"], conversion["qat_epochs"]) == ("int8 qat", 1)
    assert conversion["calibration"] == {"split": TRAINING, "images": 210, "seed": 1}
    assert {"tensorflow", "keras", "numpy", "ai-edge-litert"} <= set(conversion["versions"])
    compared = json.loads(result.stdout)["comparison"]
    measured = info.accuracy[PUBLIC_TEST]
    assert measured["images"] == 70
    assert measured["top1"] == pytest.approx(compared["top1"], abs=1e-6)
    assert measured["float_top1"] == pytest.approx(compared["float_top1"], abs=1e-6)


def test_other_data_than_trained_on_is_said(trained, csv_file, tmp_path, caplog):
    model = tmp_path / "model.keras"
    shutil.copy(trained, model)
    write_info(model, dataclasses.replace(read_info(trained), training={"data": {"name": "x", "fingerprint": "0"}}))
    result = convert(model, "--int8", "--qat-epochs", 0, "--data", csv_file, "--out", tmp_path / "model.tflite")
    assert result.exit_code == 0
    assert "trained on other data, labels or votes (x)" in caplog.text


def test_the_device_can_run_it_as_well_as_the_float_model(converted, tiny):
    out, result = converted
    split = tiny.split(PUBLIC_TEST)
    model = TFLiteModel(out)
    top1 = (model.predict(split.images).argmax(axis=1) == split.labels).mean()
    compared = json.loads(result.stdout)["comparison"]
    assert top1 == pytest.approx(compared["top1"])
    assert compared["float_top1"] > 0.7  # chance is 0.14
    assert compared["top1"] > compared["float_top1"] - 0.1


def test_the_report_says_what_fine_tuning_was_worth(converted, trained, csv_file, tmp_path):
    """The figures without fine-tuning are those of a conversion without it."""
    out = tmp_path / "untuned.tflite"
    result = convert(trained, "--int8", "--qat-epochs", 0, "--data", csv_file, "--out", out, "--json")
    untuned = json.loads(result.stdout)
    assert json.loads(converted[1].stdout)["post_training"] == untuned["comparison"]
    assert untuned["post_training"] is None


def test_post_training_and_float(trained, csv_file, tmp_path):
    """The other two ways, with the table instead of JSON."""
    out = tmp_path / "ptq.tflite"
    result = convert(trained, "--int8", "--qat-epochs", 0, "--data", csv_file, "--out", out)
    assert result.exit_code == 0, result.output
    assert "int8 ptq" in result.stdout
    assert "70 images of PublicTest" in result.stdout
    assert read_info(out).conversion["quantization"] == "int8 ptq"
    assert TFLiteModel(out).is_int8

    out = tmp_path / "float.tflite"
    report = tmp_path / "elsewhere.json"
    result = convert(trained, "--float", "--data", csv_file, "--out", out, "--report", report)
    assert result.exit_code == 0, result.output
    assert json.loads(report.read_text())["comparison"]["agreement"] == 1.0
    assert not TFLiteModel(out, allow_float=True).is_int8
    assert read_info(out).conversion["calibration"] == {}
    from fer_edge.errors import ModelFileError

    with pytest.raises(ModelFileError, match="expected an int8 input"):
        TFLiteModel(out)


def failing(expected, *arguments, status=1):
    result = convert(*arguments)
    assert result.exit_code == status, result.output
    assert expected in " ".join(result.stderr.split()), result.stderr
    assert result.stdout == ""
    if status == 1:
        assert len(result.stderr.strip().splitlines()) == 1


def test_wrong_usage(trained, csv_file, tmp_path):
    out = tmp_path / "model.tflite"
    data = ("--data", csv_file, "--out", out)
    failing("give either --int8 (for a device) or --float", trained, *data, status=2)
    failing("give either --int8 (for a device) or --float", trained, "--int8", "--float", *data, status=2)
    failing("--qat-epochs belongs to --int8", trained, "--float", "--qat-epochs", 3, *data, status=2)
    failing("Missing option '--data'", trained, "--int8", "--out", out, status=2)
    failing("does not exist", trained, "--int8", "--data", tmp_path / "absent.csv", "--out", out, status=2)
    failing("does not exist", tmp_path / "absent.keras", "--int8", *data, status=2)
    failing("ends in .tflite", trained, "--int8", "--data", csv_file, "--out", tmp_path / "model.bin", status=2)
    failing("is the model itself", trained, "--int8", *data, "--report", out, status=2)
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_no_trained_model(csv_file, converted, tmp_path):
    out = tmp_path / "out.tflite"
    text = tmp_path / "text.keras"
    text.write_text("not a model")
    failing("expected a model with fer-edge's labels", text, "--int8", "--data", csv_file, "--out", out)
    renamed = tmp_path / "renamed.keras"
    shutil.copy(converted[0], renamed)
    failing("Keras cannot load this model", renamed, "--int8", "--data", csv_file, "--out", out)
    bare = tmp_path / "bare.keras"
    keras = load_keras()
    inputs = keras.Input((48, 48, 1))
    keras.Model(inputs, keras.layers.Flatten()(inputs)).save(bare)
    failing("give --labels", bare, "--int8", "--data", csv_file, "--out", out, status=2)
    assert not out.exists()


def saved(model, path, size=48, name="compact"):
    model.save(path)
    write_info(path, ModelInfo(name, EXPRESSIONS, size))
    return path


def test_a_data_set_that_does_not_fit(csv_file, trained, tmp_path):
    out = tmp_path / "out.tflite"
    other = tmp_path / "other.keras"
    shutil.copy(trained, other)
    write_info(other, ModelInfo("compact", (*EXPRESSIONS[:-1], "bored")))
    failing("expected images of the classes of other.keras", other, "--int8", "--data", csv_file, "--out", out)


def test_no_training_split(tiny, trained, tmp_path):
    only_test = Dataset.make("test", EXPRESSIONS, {PUBLIC_TEST: tiny.split(PUBLIC_TEST)})
    csv = write_csv(tmp_path / "test.csv", only_test)
    out = tmp_path / "out.tflite"
    failing("expected a split named Training, found PublicTest", trained, "--int8", "--data", csv, "--out", out)


def test_only_leaked_images_to_train_on(tiny, trained, tmp_path):
    test = tiny.split(PUBLIC_TEST)
    csv = write_csv(tmp_path / "leaked.csv", Dataset.make("x", EXPRESSIONS, {TRAINING: test, PUBLIC_TEST: test}))
    out = tmp_path / "out.tflite"
    failing("expected images in Training to calibrate with, found none", trained, "--int8", "--data", csv, "--out", out)


def test_without_public_test_a_tenth_of_training_is_held_out(tiny, trained, tmp_path):
    """PrivateTest is never touched."""
    splits = {TRAINING: tiny.split(TRAINING), PRIVATE_TEST: tiny.split(PUBLIC_TEST)}
    csv = write_csv(tmp_path / "private.csv", Dataset.make("x", EXPRESSIONS, splits))
    out = tmp_path / "out.tflite"
    result = convert(trained, "--int8", "--qat-epochs", 0, "--data", csv, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["comparison"]["split"] == "the held-out tenth of Training"
    assert document["comparison"]["images"] == 21
    assert document["calibration"]["images"] == 210 - 21


def test_a_layer_that_has_no_int8_form(csv_file, tmp_path):
    keras = load_keras()
    inputs = keras.Input((48, 48, 1))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.UpSampling2D(name="larger")(x))
    model = saved(keras.Model(inputs, keras.layers.Dense(7, "softmax")(x)), tmp_path / "up.keras")
    out = tmp_path / "out.tflite"
    failing("layer 'larger' is a UpSampling2D", model, "--int8", "--data", csv_file, "--out", out)
    assert not out.exists()


def test_a_result_that_fails_the_gate_is_not_written_and_the_old_file_stays(csv_file, tmp_path):
    """The allow-list of ``compact`` has no max-pooling."""
    keras = load_keras()
    inputs = keras.Input((48, 48, 1))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.MaxPooling2D()(keras.layers.Conv2D(4, 3)(x)))
    model = saved(keras.Model(inputs, keras.layers.Dense(7, "softmax")(x)), tmp_path / "pool.keras")
    out = tmp_path / "out.tflite"
    out.write_bytes(b"old")
    message = (
        "failed verification: operators: expected only CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, LOGISTIC, MEAN, "
        "MUL, RESHAPE, SOFTMAX, SPACE_TO_DEPTH, found MAX_POOL_2D; nothing was written"
    )
    failing(message, model, "--int8", "--qat-epochs", 0, "--data", csv_file, "--out", out)
    assert out.read_bytes() == b"old"
    assert {path.name for path in tmp_path.iterdir()} == {"pool.keras", "out.tflite"}


def test_an_output_folder_that_does_not_exist_is_found_out_first(trained, csv_file, tmp_path):
    out = tmp_path / "absent" / "model.tflite"
    failing("expected an existing folder", trained, "--int8", "--data", csv_file, "--out", out)
    out = tmp_path / "model.tflite"
    report = tmp_path / "absent" / "report.json"
    failing("expected an existing folder", trained, "--int8", "--data", csv_file, "--out", out, "--report", report)
    assert not out.exists()


def test_the_same_seed_gives_the_same_file(converted, trained, csv_file, tmp_path):
    out = tmp_path / "again.tflite"
    result = convert(trained, "--int8", "--data", csv_file, "--out", out, "--qat-epochs", 1)
    assert result.exit_code == 0, result.output
    with zipfile.ZipFile(out) as archive:
        assert set(archive.namelist()) == {"fer_edge.json", "flatbuffer.sha256", "labels.txt"}
    images = np.random.default_rng(0).integers(0, 256, (20, 48, 48), dtype=np.uint8)
    np.testing.assert_array_equal(TFLiteModel(out).predict(images), TFLiteModel(converted[0]).predict(images))
    assert stat.S_ISREG(out.stat().st_mode)
    assert out.read_bytes() == converted[0].read_bytes()


def test_a_seed_that_no_generator_takes(trained, csv_file, tmp_path):
    arguments = [trained, "--int8", "--data", csv_file, "--out", tmp_path / "x.tflite", "--qat-epochs", 1]
    for seed in (-1, 2**32):
        failing("is not in the range", *arguments, "--seed", seed, status=2)
