"""A model on a data set that does not have its classes: measured where that says something, refused where not."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS
from fer_edge.metrics import evaluate_scores
from fer_edge.model_file import ModelInfo, write_info
from fer_edge.train.data.classes import EIGHT
from fer_edge.train.data.dataset import PUBLIC_TEST, TRAINING, Dataset
from fer_edge.train.data.load import load_dataset
from fer_edge.train.evaluate.evaluation import evaluate_models, open_classifier
from fer_edge.train.evaluate.fit import fit_to_model
from fer_edge.train.zoo.registry import ZOO
from tests.train.data.trees import picture, put


def model(path, labels):
    ZOO["nano"].build(48, len(labels), 0.0).save(path)
    write_info(path, ModelInfo("nano", tuple(labels)))
    return path


@pytest.fixture(scope="module")
def eight(tmp_path_factory):
    return model(tmp_path_factory.mktemp("model") / "eight.keras", EIGHT)


@pytest.fixture(scope="module")
def six(tmp_path_factory):
    return model(tmp_path_factory.mktemp("model") / "six.keras", EXPRESSIONS[:6])


@pytest.fixture
def ckplus(tmp_path):
    """CK+'s seven classes: contempt, but no neutral."""
    for c in (*EXPRESSIONS[:6], "contempt"):
        for i in range(4):
            put(tmp_path, f"ck/train/{c}/{i}.png", picture(i + 10 * len(c)))
            put(tmp_path, f"ck/test/{c}/{i}.png", picture(i + 100 * len(c)))
    return tmp_path / "ck"


def evaluate(path, data, *arguments):
    return CliRunner().invoke(main, ["evaluate", str(path), "--data", str(data), *arguments])


def test_a_data_set_that_lacks_a_class_is_measured_on_the_others(eight, ckplus):
    result = evaluate(eight, ckplus, "--json", "--mirror", "--robustness")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    (note,) = found["notes"]
    assert "has no image of neutral in PublicTest: measured on the classes that occur" in note
    assert "what eight.keras takes for it counts as a mistake" in note
    assert f"NOTE: {note}" in result.stderr
    assert [c["label"] for c in found["classes"]] == list(EIGHT)
    support = {c["label"]: c["support"] for c in found["classes"]}
    assert support == {**dict.fromkeys(EIGHT, 4), "neutral": 0}
    dataset = load_dataset(str(ckplus))
    split = dataset.split(PUBLIC_TEST)
    scores = open_classifier(eight).predict(split.images)
    truth = np.array([EIGHT.index(dataset.labels[label]) for label in split.labels])
    expected = evaluate_scores(scores, truth, EIGHT)
    assert found["top1"] == pytest.approx(expected.top1)
    assert found["balanced_accuracy"] == pytest.approx(expected.balanced_accuracy)
    assert found["data"]["fingerprint"] == dataset.fingerprint


def test_an_answer_that_cannot_be_right_is_a_mistake(eight, ckplus, monkeypatch):
    """A model that always says neutral is never right; without that column it would be right sometimes."""
    dataset, _ = fit_to_model(load_dataset(str(ckplus)), PUBLIC_TEST, [eight], {})
    split = dataset.split(PUBLIC_TEST)
    scores = np.full((len(split), 8), 0.1, np.float32)
    scores[:, EIGHT.index("neutral")] = 0.3
    metrics = evaluate_scores(scores, split.labels, dataset.labels)
    assert (metrics.top1, metrics.balanced_accuracy) == (0, 0)


def test_the_plots_name_the_models_classes(eight, ckplus, tmp_path):
    result = evaluate(eight, ckplus, "--plots", str(tmp_path / "plots"))
    assert result.exit_code == 0, result.output
    assert (tmp_path / "plots" / "mistakes.png").exists()


def test_an_eight_class_model_on_seven_says_that_there_are_votes(eight, tiny):
    _, (note,) = fit_to_model(tiny, PUBLIC_TEST, [eight], {})
    assert "no image of contempt" in note
    assert note.endswith("--ferplus fer2013new.csv")


def test_labels_without_an_image_do_not_count(six, tmp_path):
    """Six folders of FER2013's names get seven labels, of which one is empty: a model of six fits."""
    for c in EXPRESSIONS[:6]:
        for i in range(3):
            put(tmp_path, f"d/train/{c}/{i}.png", picture(i + 10 * len(c)))
            put(tmp_path, f"d/test/{c}/{i}.png", picture(i + 90 * len(c)))
    result = evaluate(six, tmp_path / "d", "--json")
    assert result.exit_code == 0, result.output
    assert "notes" not in json.loads(result.stdout)


def test_a_class_of_another_split_is_left_alone(six, tiny):
    public = tiny.split(PUBLIC_TEST)
    dataset = Dataset.make(
        "d", EXPRESSIONS, {TRAINING: tiny.split(TRAINING), PUBLIC_TEST: public.take(public.labels < 6)}
    )
    fitted, _ = fit_to_model(dataset, PUBLIC_TEST, [six], {})
    assert len(fitted.split(PUBLIC_TEST)) == 30
    evaluate_models([six], fitted, PUBLIC_TEST)


def test_labels_in_another_order_are_the_same_classes(tmp_path, tiny):
    turned = model(tmp_path / "turned.keras", EXPRESSIONS[::-1])
    fitted, notes = fit_to_model(tiny, PUBLIC_TEST, [turned], {})
    assert notes == ()
    assert (fitted.split(PUBLIC_TEST).labels == 6 - tiny.split(PUBLIC_TEST).labels).all()


def test_a_class_that_the_model_does_not_know_is_refused_with_advice_that_helps(six, ckplus):
    result = evaluate(six, ckplus)
    assert result.exit_code == 1
    assert "found others: contempt; leave their images out with --map 'contempt='" in result.stderr
    helped = evaluate(six, ckplus, "--map", "contempt=")
    assert helped.exit_code == 0, helped.output
    joined = evaluate(six, ckplus, "--map", "contempt=angry")
    assert joined.exit_code == 0, joined.output


@pytest.mark.parametrize("name", ["val", "valid", "test", "publictest"])
def test_a_split_may_be_called_as_elsewhere(eight, ckplus, name):
    result = evaluate(eight, ckplus, "--split", name, "--json")
    assert json.loads(result.stdout)["data"]["split"] == "PublicTest"


def test_a_joined_class_counts_as_known(eight, tiny):
    mapping = {"fear": "surprise"}
    from fer_edge.train.data.classes import map_each

    (mapped,) = map_each([tiny], mapping)
    fitted, _ = fit_to_model(mapped, PUBLIC_TEST, [eight], mapping)
    assert fitted.labels == tuple(label for label in EIGHT if label != "fear")


def test_the_library_stays_strict(eight, ckplus):
    with pytest.raises(DataError, match="take a data set that has all of them"):
        evaluate_models([eight], load_dataset(str(ckplus)), PUBLIC_TEST)
