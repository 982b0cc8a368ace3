"""FER+: the published rules on votes worked out by hand, and files that do not fit."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.cli import main
from fer_edge.errors import DataError
from fer_edge.train.data.classes import EIGHT
from fer_edge.train.data.dataset import Split
from fer_edge.train.data.ferplus import load_ferplus, majority, vote_distribution
from fer_edge.train.data.load import load_dataset
from tests.train.conftest import COLUMNS
from tests.train.data.trees import picture, put, zipped


def votes(**counts):
    return np.array([counts.get(name, 0) for name in (*EIGHT, "unknown", "NF")])


def shares(**counts):
    return [counts.get(name, 0) for name in EIGHT]


def test_a_majority_is_more_than_half_of_what_is_left():
    assert majority(votes(happy=6, neutral=4)).tolist() == shares(happy=1)
    assert not majority(votes(happy=5, neutral=5)).any()
    # The single votes are outliers: 4 of 7 are more than half.
    assert majority(votes(happy=4, neutral=3, sad=1, fear=1, angry=1)).tolist() == shares(happy=1)


@pytest.mark.parametrize("rule", [majority, vote_distribution])
def test_what_is_no_expression_is_left_out(rule):
    assert not rule(votes(unknown=6, happy=4)).any()
    assert not rule(votes(NF=10)).any()
    assert not rule(votes(**dict.fromkeys(COLUMNS, 1))).any()


def test_classes_are_taken_until_they_hold_three_quarters():
    assert vote_distribution(votes(happy=5, neutral=3, sad=2)).tolist() == pytest.approx(
        shares(happy=5 / 8, neutral=3 / 8)
    )
    assert vote_distribution(votes(happy=4, neutral=3, sad=3)).tolist() == pytest.approx(
        shares(happy=0.4, neutral=0.3, sad=0.3)
    )
    assert vote_distribution(votes(happy=8, neutral=2)).tolist() == shares(happy=1)


def test_it_ends_at_unknown():
    # 4 + 3 of 10 are under three quarters, but unknown is next, and 4 + 3 are more than half.
    assert vote_distribution(votes(happy=4, sad=3, unknown=3)).tolist() == pytest.approx(shares(happy=4 / 7, sad=3 / 7))
    assert not vote_distribution(votes(happy=4, unknown=4, sad=2)).any()  # 4 of 10 are too few


def test_more_than_three_classes_are_too_many():
    assert not vote_distribution(votes(happy=4, sad=2, fear=2, angry=2)).any()
    assert not vote_distribution(votes(happy=2, sad=2, fear=2, angry=2, neutral=2)).any()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=10, max_size=10))
def test_a_distribution_is_one_and_agrees_with_the_majority(choices):
    counts = np.bincount(choices, minlength=10)
    share, winner = vote_distribution(counts), majority(counts)
    assert share.sum() == pytest.approx(1) or not share.any()
    assert winner.sum() in (0, 1)
    assert not (share > 0)[counts[:8] < 2].any()
    if winner.any():
        assert share.argmax() == winner.argmax()


def test_soft_training_and_tests_by_majority(fer_csv, ferplus, tiny):
    dataset = load_dataset(str(fer_csv), ferplus)
    training, public = dataset.split("Training"), dataset.split("PublicTest")
    assert dataset.labels == EIGHT
    kept = np.array([row for row in range(140) if row % 5])
    assert training.rows.tolist() == kept.tolist()
    assert (training.images == tiny.split("Training").images[kept]).all()
    assert training.votes.dtype == np.float32
    assert training.votes.sum(axis=1) == pytest.approx(1)
    clear = kept % 7 != 0
    assert (training.labels[clear] == tiny.split("Training").labels[kept[clear]] + 1).all()
    assert (np.sort(training.votes[~clear], axis=1)[:, -2:] == 0.5).all()
    assert public.votes is None
    assert all(row % 5 and row % 7 for row in public.rows)
    assert "images kept" in dataset.notes[0]


def test_majority_training_has_no_votes(fer_csv, ferplus):
    dataset = load_dataset(str(fer_csv), ferplus, soft=False)
    training = dataset.split("Training")
    assert training.votes is None
    assert all(row % 5 and row % 7 for row in training.rows)
    assert dataset.fingerprint != load_dataset(str(fer_csv), ferplus).fingerprint


def test_votes_travel_and_count_in_the_fingerprint(fer_csv, ferplus):
    dataset = load_dataset(str(fer_csv), ferplus)
    training = dataset.split("Training")
    assert (training.take(np.array([3, 1])).votes == training.votes[[3, 1]]).all()
    hard = {**dataset.splits, "Training": Split(training.images, training.labels, training.rows)}
    assert type(dataset).make("x", dataset.labels, hard).fingerprint != dataset.fingerprint


def test_joined_with_others(fer_csv, ferplus, tmp_path):
    for number in range(40):
        put(tmp_path, f"more/{('sad', 'odd')[number % 2]}/{number}.png", picture(number))
    training = load_dataset(f"{fer_csv}+{tmp_path / 'more'}", ferplus).split("Training")
    assert training.votes.shape == (len(training), 9)
    assert training.votes.sum(axis=1) == pytest.approx(1)
    added = training.sources == 1
    assert (training.votes[added].max(axis=1) == 1).all()
    assert (training.votes[added].argmax(axis=1) == training.labels[added]).all()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda lines: lines[:-1],
            "each row of .* 35 PublicTest\\), found 140 Training, 34 PublicTest",
        ),
        (lambda lines: [lines[0], *lines[:0:-1]], "in another order"),
        (lambda lines: [lines[0].replace("contempt,", ""), *lines[1:]], "missing contempt"),
        (lambda lines: [*lines[:3], lines[3].replace(",10,", ",ten,"), *lines[4:]], "line 4: expected a Usage, a name"),
        (lambda lines: [*lines[:3], lines[3][:20], *lines[4:]], "line 4: expected a Usage, a name and 10 counts"),
        (lambda lines: [], "expected the columns of FER"),
        (lambda lines: lines[:1], "found 0 Training, 0 PublicTest"),
    ],
)
def test_a_file_that_does_not_fit(fer_csv, ferplus, damage, message):
    ferplus.write_text("\n".join(damage(ferplus.read_text().splitlines())) + "\n")
    with pytest.raises(DataError, match=message) as caught:
        load_dataset(str(fer_csv), ferplus)
    assert "fer2013new.csv: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_votes_for_rows_of_an_absent_split_are_no_misfit(fer_csv, ferplus):
    ferplus.write_text(ferplus.read_text() + "PrivateTest,x.png" + ",0" * 9 + ",10\n")
    assert len(load_dataset(str(fer_csv), ferplus).split("Training")) == 112


def test_only_fer2013_is_relabelled(ferplus, tmp_path):
    for number in range(8):
        put(tmp_path, f"more/{('sad', 'happy')[number % 2]}/{number}.png", picture(number))
    with pytest.raises(DataError, match="expected one fer2013.csv to relabel, found 0 in .*more"):
        load_dataset(str(tmp_path / "more"), ferplus)


def test_another_labelling_is_refused(fer_csv, ferplus):
    dataset = load_dataset(str(fer_csv), ferplus)
    with pytest.raises(DataError, match="expected to relabel FER2013"):
        load_ferplus(dataset, ferplus)


def trained(fer_csv, out, *options):
    arguments = ["train", fer_csv, "--model", "nano", "--epochs", 1, "--out", out, "--json", *options]
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("target", "rule", "draws"),
    [("majority", "by majority", False), ("probability", "by vote distribution", True)],
)
def test_the_target_is_chosen(fer_csv, ferplus, tmp_path, target, rule, draws):
    result = trained(fer_csv, tmp_path / "run", "--ferplus", ferplus, "--ferplus-target", target)
    assert result.exit_code == 0, result.output
    card = json.loads((tmp_path / "run/run.json").read_text())
    assert any(rule in note for note in card["data"]["notes"])
    assert card["recipe"].get("draw_labels", False) is draws


def test_a_target_without_votes_is_wrong_usage(fer_csv, tmp_path):
    result = trained(fer_csv, tmp_path / "run", "--ferplus-target", "majority")
    assert result.exit_code == 2
    assert "there is no --ferplus" in result.output


def all_unknown(path, usage):
    """Make every row of `usage` unknown."""
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        if line.startswith(usage):
            lines[number] = ",".join([*line.split(",")[:2], *["0"] * 8, "10", "0"])
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("soft", [True, False])
def test_votes_that_keep_nothing_of_training(fer_csv, ferplus, soft):
    all_unknown(ferplus, "Training")
    with pytest.raises(DataError, match=r"new\.csv: expected votes that keep images of Training, found all .* unknown"):
        load_dataset(str(fer_csv), ferplus, soft=soft)


def test_votes_that_keep_nothing_at_all(fer_csv, ferplus):
    fer_csv.write_text("\n".join(line for line in fer_csv.read_text().splitlines() if "Training" not in line) + "\n")
    ferplus.write_text("\n".join(line for line in ferplus.read_text().splitlines() if "Training" not in line) + "\n")
    all_unknown(ferplus, "PublicTest")
    with pytest.raises(DataError, match="expected votes that keep images of PublicTest, found all"):
        load_dataset(str(fer_csv), ferplus)


def test_a_test_split_of_which_nothing_is_kept_is_left_out(fer_csv, ferplus):
    all_unknown(ferplus, "PublicTest")
    result = CliRunner().invoke(main, ["data", "inspect", str(fer_csv), "--ferplus", str(ferplus), "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert list(document["counts"]) == ["Training"]
    assert any("no image is left of PublicTest" in note for note in document["notes"])


@pytest.mark.parametrize("digits", [7, 20, 5000])
def test_a_count_that_nobody_can_have_given(fer_csv, ferplus, digits):
    lines = ferplus.read_text().splitlines()
    lines[3] = lines[3].replace(",10,", f",{'9' * digits},")
    ferplus.write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match="line 4: expected .* counts of votes of 6 digits at most"):
        load_dataset(str(fer_csv), ferplus)


def test_joined_with_a_zip_of_the_same_classes(fer_csv, ferplus, tmp_path):
    for number in range(40):
        put(tmp_path, f"more/{('sad', 'happy')[number % 2]}/{number}.png", picture(number))
    archive = zipped(tmp_path / "more", tmp_path / "more.zip")
    training = load_dataset(f"{fer_csv}+{archive}", ferplus).split("Training")
    assert training.votes.shape == (len(training), 8)
    folder = load_dataset(f"{fer_csv}+{tmp_path / 'more'}", ferplus).split("Training")
    assert (folder.votes == training.votes).all()
