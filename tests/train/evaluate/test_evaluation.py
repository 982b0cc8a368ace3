"""Evaluation of .keras models through the library and the command; mistakes, ensembles, refusals."""

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.errors import DataError, ModelFileError
from fer_edge.labels import EXPRESSIONS
from fer_edge.metrics import evaluate_scores
from fer_edge.model_file import ModelInfo, write_info
from fer_edge.preprocess import normalise
from fer_edge.train.data.classes import map_each
from fer_edge.train.data.dataset import PUBLIC_TEST, Dataset, Split
from fer_edge.train.evaluate.evaluation import (
    Evaluation,
    evaluate_models,
    measure_robustness,
    measure_with_mirror,
    open_classifier,
    worst_mistakes,
)
from fer_edge.train.evaluate.robustness import CONDITIONS, under
from fer_edge.train.keras_model import KerasModel, load_model
from fer_edge.train.zoo.registry import ZOO


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "untrained.keras"
    ZOO["compact"].build(48, 7, 0.2).save(path)
    write_info(path, ModelInfo("compact", EXPRESSIONS))
    return path


def test_metrics_are_those_of_the_models_scores(keras_file, tiny):
    evaluation = evaluate_models([keras_file], tiny, PUBLIC_TEST)
    public = tiny.split(PUBLIC_TEST)
    scores = load_model(keras_file).predict(public.images)
    assert np.allclose(evaluation.scores, scores)
    assert evaluation.metrics.top1 == evaluate_scores(scores, public.labels, EXPRESSIONS).top1


def test_an_ensemble_averages(keras_file, tiny, tmp_path):
    other = tmp_path / "other.keras"
    ZOO["compact"].build(48, 7, 0.2).save(other)
    write_info(other, ModelInfo("compact", EXPRESSIONS))
    both = evaluate_models([keras_file, other], tiny, PUBLIC_TEST).scores
    each = [evaluate_models([path], tiny, PUBLIC_TEST).scores for path in (keras_file, other)]
    assert np.allclose(both, (each[0] + each[1]) / 2, atol=1e-6)
    assert np.abs(each[0] - each[1]).max() > 1e-3


def test_a_prior_changes_what_the_models_say(keras_file, tiny, tmp_path):
    stated = tmp_path / "stated.keras"
    shutil.copy(keras_file, stated)
    shares = np.arange(1, 8) / 28
    prior = dict(zip(EXPRESSIONS, shares.tolist(), strict=True))
    write_info(stated, ModelInfo("compact", EXPRESSIONS, conversion={"prior": prior}))
    plain = evaluate_models([stated], tiny, PUBLIC_TEST)
    uniform = evaluate_models([stated], tiny, PUBLIC_TEST, prior="uniform")
    divided = plain.scores / shares
    assert np.allclose(uniform.scores, divided / divided.sum(axis=1, keepdims=True), atol=1e-5)
    mirrored = measure_with_mirror([stated], tiny.split(PUBLIC_TEST), uniform, prior="uniform")
    assert mirrored.images == plain.metrics.images
    with pytest.raises(ModelFileError, match="expected a file that says which prior"):
        evaluate_models([keras_file], tiny, PUBLIC_TEST, prior="uniform")


def test_a_prior_of_other_classes_is_wrong_usage(keras_file, fer_csv):
    result = CliRunner().invoke(main, ["evaluate", str(keras_file), "--data", str(fer_csv), "--prior", "happy=1"])
    assert result.exit_code == 2
    assert "expected a share for each of angry" in result.output


def test_joined_classes_are_joined_in_what_the_model_says_too(keras_file, tiny):
    mapping = {"fear": "Surprised", "angry": "negative", "disgust": "negative"}
    joined = map_each([tiny], mapping)[0]
    plain = evaluate_models([keras_file], tiny, PUBLIC_TEST).scores
    evaluation = evaluate_models([keras_file], joined, PUBLIC_TEST, mapping)
    said = dict(zip(joined.labels, evaluation.scores.T, strict=True))
    before = dict(zip(EXPRESSIONS, plain.T, strict=True))
    assert said.keys() == {"happy", "sad", "surprise", "neutral", "negative"}
    assert said["surprise"] == pytest.approx(before["fear"] + before["surprise"], abs=1e-6)
    assert said["negative"] == pytest.approx(before["angry"] + before["disgust"], abs=1e-6)
    assert said["happy"] == pytest.approx(before["happy"], abs=1e-6)
    mirrored = measure_with_mirror([keras_file], joined.split(PUBLIC_TEST), evaluation, mapping)
    assert [c.label for c in mirrored.classes] == list(joined.labels)
    conditions = measure_robustness([keras_file], joined.split(PUBLIC_TEST), evaluation, mapping)
    assert conditions.keys() == {c.name for c in CONDITIONS}


def test_a_class_left_out_of_the_data_may_still_be_said(keras_file, tiny):
    fewer = map_each([tiny], {"fear": ""})[0]
    evaluation = evaluate_models([keras_file], fewer, PUBLIC_TEST, {"fear": ""})
    plain = load_model(keras_file).predict(fewer.split(PUBLIC_TEST).images)
    np.testing.assert_allclose(evaluation.scores, plain, atol=1e-6)


def test_the_worst_mistakes_come_first():
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.7, 0.3]], np.float32)
    truth = np.array([0, 0, 0, 1])
    split = Split(np.zeros((4, 48, 48), np.uint8), truth, np.arange(4))
    evaluation = Evaluation(evaluate_scores(scores, truth, ("a", "b")), scores)
    assert worst_mistakes(evaluation, split, 10).tolist() == [1, 3, 2]
    assert worst_mistakes(evaluation, split, 1).tolist() == [1]


def test_the_command_prints_a_table_and_draws(keras_file, fer_csv, tmp_path):
    arguments = ["evaluate", str(keras_file), "--data", str(fer_csv), "--plots", str(tmp_path / "plots")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "35 images" in result.output
    assert "surprise" in result.output
    for name in ("confusion.png", "mistakes.png"):
        assert (tmp_path / "plots" / name).read_bytes().startswith(b"\x89PNG")


def test_json_is_one_document(keras_file, fer_csv, tiny):
    result = CliRunner().invoke(main, ["evaluate", str(keras_file), "--data", str(fer_csv), "--json"])
    document = json.loads(result.stdout)
    assert document["data"]["fingerprint"] == tiny.fingerprint
    assert document["images"] == 35
    assert document["models"][0]["bytes"] == keras_file.stat().st_size
    assert sum(map(sum, document["confusion"])) == 35


def test_other_labels_are_refused(keras_file, tiny):
    other = Dataset.make("other", ("a", "b"), tiny.splits)
    with pytest.raises(DataError, match="expected images of the classes of .*found others: a, b; leave"):
        evaluate_models([keras_file], other, PUBLIC_TEST)


def test_labels_with_contempt_want_the_votes(tmp_path, tiny):
    path = tmp_path / "eight.keras"
    ZOO["nano"].build(48, 8, 0.0).save(path)
    write_info(path, ModelInfo("nano", (*EXPRESSIONS, "contempt")))
    with pytest.raises(DataError, match=r"labels of eight.keras .*; .*add --ferplus fer2013new.csv"):
        evaluate_models([path], tiny, PUBLIC_TEST)


def test_members_with_other_labels_are_refused(keras_file, tmp_path, tiny):
    path = tmp_path / "two.keras"
    ZOO["nano"].build(48, 2, 0.0).save(path)
    write_info(path, ModelInfo("nano", ("a", "b")))
    with pytest.raises(ModelFileError, match=r"two.keras: expected the labels of untrained.keras .*averaged only if"):
        evaluate_models([keras_file, path], tiny, PUBLIC_TEST)


def test_a_leaky_model_is_warned_of(keras_file, fer_csv, tmp_path):
    leaky = tmp_path / "leaky.keras"
    shutil.copy(keras_file, leaky)
    write_info(leaky, ModelInfo("compact", EXPRESSIONS, training={"recipe": {"protocol": "leaky-resample, ros"}}))
    arguments = ["evaluate", str(keras_file), str(leaky), "--data", str(fer_csv), "--ensemble", "--json"]
    result = CliRunner().invoke(main, arguments)
    (warning,) = json.loads(result.stdout)["warnings"]
    assert warning.startswith("leaky.keras was trained under a leaky protocol")
    assert f"WARNING: {warning}" in result.stderr


def test_a_folder_for_plots_that_cannot_be_made_is_found_out_first(keras_file, fer_csv, tmp_path, monkeypatch):
    monkeypatch.setattr("fer_edge.train.evaluate.evaluation.evaluate_models", pytest.fail)
    (tmp_path / "file").write_text("")
    arguments = ["evaluate", str(keras_file), "--data", str(fer_csv), "--plots", str(tmp_path / "file" / "plots")]
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "Not a directory" in result.stderr


def test_another_image_size_is_refused(keras_file, tiny):
    small = Split(np.zeros((1, 32, 32), np.uint8), np.zeros(1, np.int64), np.zeros(1, np.int64))
    with pytest.raises(DataError, match="expected images of 48x48 for untrained.keras, found 32x32"):
        evaluate_models([keras_file], Dataset.make("small", EXPRESSIONS, {PUBLIC_TEST: small}), PUBLIC_TEST)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("notes.txt", b"text", "expected a .keras or .tflite file"),
        ("notes.keras", b"text", "found none that can be read; make it with 'fer-edge train'"),
        ("notes.tflite", b"text", "expected a TFLite model, found a file of 4 bytes"),
    ],
)
def test_other_files_are_refused(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=message):
        open_classifier(path)


def test_a_damaged_keras_file_is_refused(keras_file, tmp_path):
    import zipfile

    path = tmp_path / "damaged.keras"
    with zipfile.ZipFile(keras_file) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            if name != "model.weights.h5":
                target.writestr(name, source.read(name))
    with pytest.raises(ModelFileError, match="Keras cannot load this model"):
        open_classifier(path)


def test_info_that_does_not_fit_the_model_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    ZOO["compact"].build(48, 5, 0.2).save(path)
    write_info(path, ModelInfo("compact", EXPRESSIONS))
    with pytest.raises(ModelFileError, match="and 7 outputs, found"):
        open_classifier(path)


def test_what_a_condition_costs_has_the_error_of_paired_images(keras_file, tiny):
    split = tiny.split(PUBLIC_TEST)
    plain = evaluate_models([keras_file], tiny, PUBLIC_TEST)
    found = measure_robustness([keras_file], split, plain)["low light"]
    dark = next(condition for condition in CONDITIONS if condition.name == "low light")
    called = open_classifier(keras_file).predict(under(dark, split.images)).argmax(axis=1)
    lost = np.sum((plain.scores.argmax(axis=1) == split.labels) & (called != split.labels))
    won = np.sum((plain.scores.argmax(axis=1) != split.labels) & (called == split.labels))
    images = len(split.labels)
    assert found.top1 == pytest.approx(np.mean(called == split.labels))
    assert found.difference == pytest.approx((won - lost) / images)
    # Of differences that are -1, 0 or 1 (McNemar): their variance is (won + lost) / N - mean squared.
    variance = ((won + lost) / images - ((won - lost) / images) ** 2) * images / (images - 1)
    assert found.difference_se == pytest.approx((variance / images) ** 0.5)
    assert found.interval[0] < found.difference < found.interval[1]


def test_robustness_and_mirror_are_reported_apart(keras_file, fer_csv):
    result = CliRunner().invoke(
        main, ["evaluate", str(keras_file), "--data", str(fer_csv), "--robustness", "--mirror", "--json"]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert list(found["robustness"]) == [condition.name for condition in CONDITIONS]
    assert all(0 <= share <= 1 for share in found["robustness"].values())
    assert found["robustness_errors"].keys() == found["robustness"].keys()
    assert 0 <= found["with_mirror"] <= 1


def test_contrast_is_normalised_inside_the_model(keras_file, tiny):
    model = load_model(keras_file).model
    dull = tiny.split(PUBLIC_TEST).images // 8 + 100
    plain, equalizing = KerasModel(model, ModelInfo("x", EXPRESSIONS)), ModelInfo("x", EXPRESSIONS, contrast="equalize")
    expected = plain.predict(normalise(dull, "equalize"))
    assert np.allclose(KerasModel(model, equalizing).predict(dull), expected)
    assert not np.allclose(plain.predict(dull), expected)
