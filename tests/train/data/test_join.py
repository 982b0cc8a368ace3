"""Several data sets as one: which path is meant, which class is which, and where each image came from."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS
from fer_edge.train.data.classes import map_each, ordered
from fer_edge.train.data.load import load_dataset
from fer_edge.train.data.spec import parts_of
from tests.train.data.trees import picture, put


@pytest.fixture
def ck(tmp_path):
    """A folder whose name holds a plus, with contempt and without neutral."""
    for number in range(40):
        put(tmp_path, f"CK+48/{('anger', 'contempt', 'happy', 'sadness')[number % 4]}/{number}.png", picture(number))
    return tmp_path / "CK+48"


def test_names_have_one_order():
    assert ordered(["Happiness", "anger"]) == EXPRESSIONS
    assert ordered(["contempt", "anger", "sad"]) == ("angry", "sad", "contempt")
    assert ordered([*EXPRESSIONS, "zeal", "contempt", "bhaya"]) == (*EXPRESSIONS, "contempt", "bhaya", "zeal")


def test_a_plus_in_a_name_is_understood(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "CK+48", "48", "b+c"):
        (tmp_path / name).mkdir()
    assert parts_of("a+CK+48") == ["a", "CK+48"]
    assert parts_of("CK+48+demo+a") == ["CK+48", "demo", "a"]
    assert parts_of("b+c+48") == ["b+c", "48"]
    for wrong in ("b", "CK", "a+none", "+a", "a+", "", "+", "a++a"):
        assert parts_of(wrong) == []


def test_joined_by_class_name(fer_csv, ck, tiny):
    dataset = load_dataset(f"{fer_csv}+{ck}")
    assert dataset.labels == (*EXPRESSIONS, "contempt")
    assert dataset.sources == ("fer2013.csv", "CK+48")
    training = dataset.split("Training")
    assert len(training) == 140 + 32
    assert (training.labels[:140] == tiny.split("Training").labels).all()
    assert (training.sources == np.repeat([0, 1], [140, 32])).all()
    assert np.bincount(training.labels[140:], minlength=8).tolist() == [8, 0, 0, 8, 8, 0, 0, 8]
    assert "class 'contempt' comes from CK+48 alone" in dataset.notes
    assert "CK+48: folders by class: anger is angry, sadness is sad" in dataset.notes
    assert dataset.fingerprint != load_dataset(f"{ck}+{fer_csv}").fingerprint


def test_a_class_left_out_and_one_joined(fer_csv, ck):
    without = load_dataset(f"{fer_csv}+{ck}", mapping={"contempt": ""})
    assert without.labels == EXPRESSIONS
    assert len(without.split("Training")) == 140 + 24
    assert "CK+48: classes mapped: contempt left out" in without.notes
    into = load_dataset(f"{fer_csv}+{ck}", mapping={"Contempt": "disgust"})
    assert into.labels == EXPRESSIONS
    assert np.bincount(into.split("Training").labels).tolist() == [28, 28, 20, 28, 28, 20, 20]


def test_votes_follow_the_mapping(tiny):
    from fer_edge.train.data.dataset import Dataset, Split

    split = tiny.split("Training")
    votes = np.full((140, 7), 0.1, np.float32)
    votes[np.arange(140), split.labels] = 0.4
    soft = Dataset.make("soft", EXPRESSIONS, {"Training": Split(split.images, split.labels, split.rows, votes)})
    (dropped,) = map_each([soft], {"neutral": "", "fear": "sad"})
    training = dropped.split("Training")
    assert len(training) == 120
    assert dropped.labels == EXPRESSIONS
    assert training.votes.sum(axis=1) == pytest.approx(1)
    was_happy = training.votes[training.labels == 3][0]
    assert was_happy == pytest.approx(np.array([1, 1, 0, 4, 2, 1, 0]) / 9)
    assert not (training.labels == 2).any()


def test_labels_follow_the_votes_of_joined_classes(tiny):
    from fer_edge.train.data.dataset import Dataset, Split

    votes = np.zeros((4, 7), np.float32)
    votes[0, [0, 3, 4]] = 0.4, 0.3, 0.3  # angry, until happy and sad are one
    votes[1, [0, 3, 4]] = 0.5, 0.3, 0.2  # as many: the first of both, as before
    votes[2, [3, 4, 6]] = 0.3, 0.2, 0.5  # as many: the first of both, another than before
    votes[3, [1, 3]] = 0.6, 0.4  # of a class left out
    images = tiny.split("Training").images[:4]
    soft = Dataset.make("soft", EXPRESSIONS, {"Training": Split(images, votes.argmax(axis=1), np.arange(4), votes)})
    (mapped,) = map_each([soft], {"sad": "happy", "disgust": ""})
    training = mapped.split("Training")
    assert training.labels.tolist() == [3, 0, 3]
    assert (training.votes.argmax(axis=1) == training.labels).all()


def test_a_class_nobody_has(fer_csv, ck):
    with pytest.raises(DataError, match="expected to map one of the classes angry, .*, contempt, found 'boredom'"):
        load_dataset(f"{fer_csv}+{ck}", mapping={"boredom": "neutral"})


def test_nothing_left(ck):
    with pytest.raises(DataError, match="expected images after mapping its classes, found none"):
        load_dataset(str(ck), mapping=dict.fromkeys(("angry", "contempt", "happy", "sad"), ""))


def run(*arguments):
    return CliRunner().invoke(main, ["data", "inspect", *(str(a) for a in arguments)])


def test_inspect_counts_by_class_and_source(fer_csv, ck):
    result = run(f"{fer_csv}+{ck}")
    assert result.exit_code == 0, result.output
    rows = {line.split()[0]: line.split()[1:] for line in result.output.splitlines() if line and line[0] != "-"}
    assert rows["class"] == ["Training", "PublicTest", "PrivateTest", "fer2013.csv", "CK+48"]
    assert rows["angry"] == ["28", "6", "1", "25", "10"]
    assert rows["contempt"] == ["8", "1", "1", "0", "10"]
    document = json.loads(run(f"{fer_csv}+{ck}", "--json", "--map", "contempt=").stdout)
    assert document["sources"]["CK+48"] == {**dict.fromkeys(EXPRESSIONS, 0), "angry": 10, "happy": 10, "sad": 10}
    assert any("contempt left out" in note for note in document["notes"])


def test_inspect_tells_sources_of_one_name_apart(fer_csv, tmp_path):
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / fer_csv.name
    header, *lines = fer_csv.read_text().splitlines()
    other.write_text("\n".join([header, *lines[:7]]) + "\n")
    sources = json.loads(run(f"{fer_csv}+{other}", "--json").stdout)["sources"]
    assert {name: sum(counts.values()) for name, counts in sources.items()} == {
        "fer2013.csv (1)": len(lines),
        "fer2013.csv (2)": 7,
    }


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["demo+none"], 2),
        (["demo", "--map", "contempt"], 2),
        (["demo", "--map", "=happy"], 2),
        (["demo", "--ferplus", "none.csv"], 2),
    ],
)
def test_wrong_usage(arguments, status):
    result = run(*arguments)
    assert result.exit_code == status
    assert "Traceback" not in result.output


def test_a_mapping_that_does_not_fit_is_one_line(ck):
    result = run(ck, "--map", "boredom=happy")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: expected to map one of the classes")
    assert result.stderr.count("\n") == 1
