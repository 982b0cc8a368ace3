"""``fer-edge explain`` as a user runs it."""

import json
import os
import shutil

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, write_info
from fer_edge.runtime import TFLiteModel
from fer_edge.shipped import shipped_models
from fer_edge.train.explain import explanation, plates
from fer_edge.train.explain.dream import Ascent
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.zoo.registry import ZOO

PNG = b"\x89PNG"


def run(*arguments):
    return CliRunner().invoke(main, ["explain", *map(str, arguments)])


@pytest.fixture
def short_dreams(monkeypatch):
    """Dreams of a few steps look like nothing but take no time."""
    for name in ("FROM_NOISE", "FROM_FACE"):
        monkeypatch.setattr(plates, name, Ascent(steps=4, rate=4.0, blur=(0.8, 0.5), variation=0.02))


def test_everything_about_a_keras_model(keras_file, tmp_path, short_dreams):
    result = run(keras_file, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert [plate["kind"] for plate in document["plates"]] == ["filters", "activations", "saliency", "dream", "dream"]
    label = max(document["pictures"][0]["scores"], key=document["pictures"][0]["scores"].get)
    names = {"filters", "portrait-activations", f"portrait-saliency-{label}", "dream", "portrait-dream"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{n}.png" for n in names} | {"report.html"}
    for name in names:
        assert (tmp_path / "out" / f"{name}.png").read_bytes().startswith(PNG)
    report = (tmp_path / "out/report.html").read_text()
    assert report.count("data:image/png") == 10
    for words in ("SmoothGrad:", "Grad-CAM:", "None of this proves", "NASA"):
        assert words in report


def test_everything_about_an_int8_model(face, tmp_path):
    model = TFLiteModel(shipped_models()["compact"], xnnpack=False)  # it runs on the runtime's own kernels too
    happy = model.predict(face[None])[0][EXPRESSIONS.index("happy")]
    result = run("compact", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[0] == f"portrait: happy {happy:.1%}"
    assert {path.stem for path in tmp_path.iterdir()} == {
        "filters",
        "portrait-activations",
        "portrait-saliency-happy",
        "report",
    }
    report = (tmp_path / "report.html").read_text()
    assert "they follow gradients, which a .tflite file does not have" in report
    assert "SmoothGrad:" not in report


def test_one_class_and_one_layer_of_own_pictures(keras_file, tmp_path, short_dreams):
    faces = [tmp_path / "a.png", tmp_path / "b.jpg"]
    for seed, file in enumerate(faces):
        cv2.imwrite(str(file), np.random.default_rng(seed).integers(0, 256, (60, 50, 3), dtype=np.uint8))
    chosen = ["--activations", "--layer", "pool", "--saliency", "--dream", "--class", "sad"]
    result = run(keras_file, *faces, *chosen, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    kinds = ("activations-pool", "saliency-sad", "dream")
    assert {path.stem for path in (tmp_path / "out").iterdir()} == {
        "report",
        "dream",
        *(f"{name}-{kind}" for name in "ab" for kind in kinds),
    }


def test_a_network_without_convolutions_shows_its_first_dense_layer(tmp_path):
    load_keras().utils.set_random_seed(3)
    ZOO["ffnn"].build(48, 7, 0.2).save(tmp_path / "ffnn.keras")
    write_info(tmp_path / "ffnn.keras", ModelInfo("ffnn", EXPRESSIONS))
    result = run(tmp_path / "ffnn.keras", "--filters", "--activations", "--saliency", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "portrait-activations-dense1.png" in {path.name for path in (tmp_path / "out").iterdir()}
    report = (tmp_path / "out/report.html").read_text()
    assert "SmoothGrad:" in report
    assert "Grad-CAM:" not in report


def test_another_backend_has_saliency_by_covering_only(keras_file, tmp_path, monkeypatch):
    monkeypatch.setattr(explanation, "backend", lambda: "jax")
    result = run(keras_file, "--dream", "--out", tmp_path)
    assert result.exit_code == 1
    assert "which need Keras on TensorFlow here, and it runs on 'jax'" in result.output
    result = run(keras_file, "--saliency", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "SmoothGrad:" not in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dream"], "dreams follow gradients, which a .tflite file does not have; explain the .keras file"),
        (["--layer", "conv9"], "expected one of its layers (space_to_depth_1, conv_2d_1, "),
        (["--class", "joy"], "expected one of its classes (angry, disgust, "),
    ],
)
def test_what_cannot_be_explained_is_one_line(tmp_path, options, message):
    result = run("compact", *options, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr
    assert not (tmp_path / "out").exists()


def test_an_unreadable_picture_is_one_line(tmp_path):
    file = tmp_path / "face.png"
    file.write_bytes(b"text")
    result = run(shipped_models()["compact"], file, "--out", tmp_path / "out")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "face.png: expected a picture of a face" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--filters", "--layer", "conv_2d_1"], "--layer belongs to --activations"),
        (["--filters", "--class", "happy"], "--class belongs to --saliency and --dream"),
        (["nowhere.png"], "does not exist"),
    ],
)
def test_wrong_usage(tmp_path, options, message):
    result = run("compact", *options, "--out", tmp_path)
    assert result.exit_code == 2
    assert message in result.output


def test_a_folder_that_cannot_be_made_is_found_out_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(explanation.plates, "filters_plate", lambda network: pytest.fail("the work was begun"))
    (tmp_path / "out").write_text("a file")
    result = run("compact", "--filters", "--out", tmp_path / "out" / "why")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "out" in result.stderr


def test_names_that_are_no_text(tmp_path):
    model, picture = (tmp_path / os.fsdecode(name) for name in (b"caf\xe9.tflite", b"caf\xe9.png"))
    shutil.copy(shipped_models()["nano"], model)
    picture.write_bytes(cv2.imencode(".png", np.full((60, 60), 128, np.uint8))[1].tobytes())
    result = run(model, picture, "--saliency", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "caf?" in (tmp_path / "out" / "report.html").read_text()
