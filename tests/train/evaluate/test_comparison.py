"""Models side by side, and what they say of each image."""

import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.errors import ConfigError, DataError
from fer_edge.labels import EXPRESSIONS
from fer_edge.metrics import evaluate_scores
from fer_edge.model_file import ModelInfo, write_info
from fer_edge.train import api
from fer_edge.train.data.dataset import PUBLIC_TEST, Dataset, Split
from fer_edge.train.evaluate.comparison import Comparison, Difference
from fer_edge.train.evaluate.evaluation import Evaluation
from fer_edge.train.evaluate.intervals import paired
from fer_edge.train.evaluate.report import Report
from fer_edge.train.zoo.registry import ZOO
from tests.train.data.trees import face, put

EIGHT = (*EXPRESSIONS, "contempt")


def report(path, truth, called, labels=EXPRESSIONS):
    """Of a model that says `called`."""
    scores = np.eye(len(labels), dtype=np.float32)[called]
    split = Split(np.zeros((len(truth), 48, 48), np.uint8), truth, np.arange(len(truth)))
    dataset = Dataset.make("set", labels, {PUBLIC_TEST: split})
    evaluation = Evaluation(evaluate_scores(scores, truth, labels), scores)
    return Report((path,), dataset, PUBLIC_TEST, evaluation, (), (), None, {})


@pytest.fixture
def files(tmp_path):
    return [tmp_path / "runs/a/model.keras", tmp_path / "runs/b/model.keras"]


def test_a_difference_is_paired(files):
    truth = np.arange(70) % 7
    first = np.where(np.arange(70) < 40, truth, (truth + 1) % 7)
    other = np.where((np.arange(70) < 35) | (np.arange(70) >= 55), truth, (truth + 1) % 7)
    found = Difference.between(report(files[0], truth, first), report(files[1], truth, other))
    assert (found.won, found.lost) == (15, 5)
    assert found.top1 == pytest.approx(10 / 70)
    assert found.top1_interval == paired(first == truth, other == truth)
    assert found.balanced_accuracy == pytest.approx(10 / 70)
    for value, (low, high) in (
        (found.top1, found.top1_interval),
        (found.balanced_accuracy, found.balanced_accuracy_interval),
        (found.macro_f1, found.macro_f1_interval),
    ):
        assert low < value < high


def test_models_of_other_labels_are_compared_on_what_both_know(files):
    truth = np.arange(70) % 7
    seven = report(files[0], truth, truth)
    contempt = report(files[1], truth, np.where(np.arange(70) < 20, 7, truth), EIGHT)
    found = Difference.between(seven, contempt)
    assert (found.won, found.lost) == (0, 20)
    back = Difference.between(contempt, seven)
    assert back.top1 == pytest.approx(-found.top1)


def test_other_images_or_true_labels_are_not_compared(files):
    truth = np.arange(70) % 7
    first, relabelled = report(files[0], truth, truth), report(files[1], truth[::-1].copy(), truth)
    moved = report(files[1], truth, truth)
    moved.dataset.split(PUBLIC_TEST).rows[:] += 1
    for other in (relabelled, moved, report(files[1], truth[:69], truth[:69])):
        with pytest.raises(DataError, match="expected a report of the images"):
            Difference.between(first, other)


def test_no_model_is_refused():
    with pytest.raises(ConfigError, match="found none"):
        api.evaluate([], "demo")


def test_files_of_one_name_are_told_apart(files, tmp_path):
    truth = np.arange(14) % 7
    both = Comparison((report(files[0], truth, truth), report(files[1], truth, truth)))
    assert both.names == (str(files[0]), str(files[1]))
    assert "runs/b/model.keras" in both.to_text()
    both.draw(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"1-model.keras", "2-model.keras"}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for name in ("one", "two"):
        ZOO["nano"].build(48, 7, 0.0).save(folder / f"{name}.keras")
        write_info(folder / f"{name}.keras", ModelInfo("nano", EXPRESSIONS))
    return [folder / "one.keras", folder / "two.keras"]


def evaluate(*arguments):
    result = CliRunner().invoke(main, ["evaluate", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_several_models_are_compared_and_averaged_when_asked(models, fer_csv):
    text = evaluate(*models, "--data", fer_csv)
    assert text.startswith("2 models on PublicTest of fer2013.csv: 35 images")
    assert "two.keras" in text.splitlines()[-1]
    document = json.loads(evaluate(*models, "--data", fer_csv, "--json"))
    (difference,) = document["differences"]
    low, high = difference["top1_interval"]
    assert (difference["model"], difference["from"]) == ("two.keras", "one.keras")
    assert low < difference["top1"] < high
    alone = [json.loads(evaluate(model, "--data", fer_csv, "--json"))["top1"] for model in models]
    assert [each["top1"] for each in document["reports"]] == alone
    assert difference["top1"] == pytest.approx(alone[1] - alone[0])
    averaged = json.loads(evaluate(*models, "--data", fer_csv, "--ensemble", "--json"))
    assert [file["file"] for file in averaged["models"]] == ["one.keras", "two.keras"]


def test_intervals_are_printed_in_place_of_errors(models, fer_csv):
    text = evaluate(models[0], "--data", fer_csv, "--robustness", "--mirror")
    assert "±" not in text
    document = json.loads(evaluate(models[0], "--data", fer_csv, "--json"))
    low, high = document["intervals"]["top1"]
    assert low < document["top1"] < high
    for kind, found in zip(document["classes"], document["intervals"]["recall"], strict=True):
        assert found[0] <= kind["recall"] <= found[1]
        assert found[1] - found[0] > 0.1  # of five images


def test_one_model_cannot_be_averaged_or_compared(models, fer_csv):
    result = CliRunner().invoke(main, ["evaluate", str(models[0]), "--data", str(fer_csv), "--ensemble"])
    assert (result.exit_code, "give two or more" in result.stderr) == (2, True)
    with pytest.raises(ConfigError, match="two or more to compare"):
        api.compare([models[0]], str(fer_csv))


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_predictions_are_those_of_every_image(models, fer_csv, tiny, tmp_path):
    out = tmp_path / "said.csv"
    evaluate(*models, "--data", fer_csv, "--predictions", out)
    assert out.read_text().splitlines()[0] == ",".join(
        ("model", "source", "split", "row", "file", "label", "predicted", *(f"p_{name}" for name in EXPRESSIONS))
    )
    rows = rows_of(out)
    assert [row["model"] for row in rows] == ["one.keras"] * 35 + ["two.keras"] * 35
    scores = api.evaluate(models[1], str(fer_csv)).scores
    assert np.allclose([[float(row[f"p_{name}"]) for name in EXPRESSIONS] for row in rows[35:]], scores, atol=1e-6)
    public = tiny.split(PUBLIC_TEST)
    assert [row["label"] for row in rows[:35]] == [EXPRESSIONS[label] for label in public.labels]
    assert [int(row["row"]) for row in rows[:35]] == [140 + i for i in range(35)]
    assert {row["source"] for row in rows} == {"fer2013.csv"}


def test_predictions_name_files(models, tmp_path):
    for number in range(3):
        put(tmp_path / "own", f"train/happy/{number}.png", face(number))
        put(tmp_path / "own", f"train/sad/{number}.png", face(-1 - number))
    put(tmp_path / "own", "test/happy/here.png", face(20))
    put(tmp_path / "own", "test/sad/thère, too.png", face(30))
    out = tmp_path / "said.csv"
    evaluate(models[0], "--data", tmp_path / "own", "--predictions", out)
    assert {row["file"]: row["label"] for row in rows_of(out)} == {
        "test/happy/here.png": "happy",
        "test/sad/thère, too.png": "sad",
    }


def test_predictions_that_cannot_be_written_are_found_out_first(models, fer_csv, tmp_path, monkeypatch):
    monkeypatch.setattr("fer_edge.train.api.compare", pytest.fail)
    arguments = ["evaluate", *map(str, models), "--data", str(fer_csv), "--predictions", str(tmp_path / "no/said.csv")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "expected an existing folder" in result.stderr
