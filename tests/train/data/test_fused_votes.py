"""Labels and votes as one target: their mixture, what is left out of it, and what cannot stand beside it."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS
from fer_edge.train.data.auxiliary import fused
from fer_edge.train.data.dataset import PUBLIC_TEST, TRAINING
from fer_edge.train.data.load import load_dataset


def test_a_target_is_the_label_and_the_shares_of_the_votes():
    votes = np.array([[0, 0, 0, 6, 2, 0, 0], [0, 0, 0, 0, 0, 0, 0]])
    targets = fused(np.array([0, 2]), votes, 0.4)
    assert np.allclose(targets[0], [0.6, 0, 0, 0.3, 0.1, 0, 0])
    assert np.allclose(targets[1], np.eye(7)[2])  # nobody saw an expression in it


def test_training_has_mixed_targets_and_tests_keep_their_labels(fer_csv, ferplus):
    plain, mixed = load_dataset(str(fer_csv)), load_dataset(str(fer_csv), fused=(ferplus, 0.5))
    before, split = plain.split(TRAINING), mixed.split(TRAINING)
    assert mixed.labels == EXPRESSIONS
    assert np.allclose(split.votes.sum(axis=1), 1)
    # Image 1: ten votes for the next class. Image 0: unknown to everybody.
    expected = (np.eye(7)[before.labels[1]] + np.eye(7)[before.labels[1] + 1]) / 2
    assert np.allclose(split.votes[1], expected)
    assert split.labels[1] == before.labels[1]  # of equals FER2013's own
    assert np.allclose(split.votes[0], np.eye(7)[before.labels[0]])
    assert np.array_equal(mixed.split(PUBLIC_TEST).labels, plain.split(PUBLIC_TEST).labels)
    assert mixed.split(PUBLIC_TEST).votes is None
    assert "50% FER+ votes from fer2013new.csv" in mixed.notes[-1]
    assert mixed.fingerprint != load_dataset(str(fer_csv), fused=(ferplus, 0.4)).fingerprint


def test_the_share_decides_the_label(fer_csv, ferplus):
    before = load_dataset(str(fer_csv)).split(TRAINING).labels
    voted = load_dataset(str(fer_csv), fused=(ferplus, 0.7)).split(TRAINING).labels
    assert voted[1] == before[1] + 1


def change_votes(path, change):
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], *map(change, lines[1:])]) + "\n")


def test_contempt_single_votes_and_no_face_are_left_out(fer_csv, ferplus):
    rows = {
        1: "0,1,4,0,0,0,0,5,0,0",  # four surprise, one happy, five contempt
        2: "1,0,0,0,0,0,0,0,0,9",  # no face
        3: "0,0,0,0,0,0,0,10,0,0",  # contempt alone
    }
    numbers = iter(range(1000))

    def change(line):
        usage, name, counts = line.split(",", 2)
        return ",".join([usage, name, rows.get(next(numbers), counts)])

    change_votes(ferplus, change)
    before = load_dataset(str(fer_csv)).split(TRAINING)
    split = load_dataset(str(fer_csv), fused=(ferplus, 0.5)).split(TRAINING)
    assert split.rows.tolist() == [row for row in before.rows.tolist() if row != 2]
    surprise = EXPRESSIONS.index("surprise")
    assert np.allclose(split.votes[1], (np.eye(7)[before.labels[1]] + np.eye(7)[surprise]) / 2)
    assert np.allclose(split.votes[2], np.eye(7)[before.labels[3]])


def test_what_does_not_fit_is_refused(fer_csv, ferplus):
    with pytest.raises(DataError, match=r"expected one fer2013\.csv whose labels the votes are mixed with"):
        load_dataset(f"{fer_csv}+demo", fused=(ferplus, 0.5))
    with pytest.raises(DataError, match="expected one row for each row of demo"):
        load_dataset("demo", fused=(ferplus, 0.5))
    change_votes(ferplus, lambda line: ",".join(line.split(",")[:2] + ["0"] * 9 + ["10"]))
    with pytest.raises(DataError, match="expected votes on faces, found no face"):
        load_dataset(str(fer_csv), fused=(ferplus, 0.5))


def test_the_command(fer_csv, ferplus, tmp_path):
    arguments = ["train", str(fer_csv), "--model", "nano", "--epochs", "1", "--fused-ferplus", str(ferplus)]
    result = CliRunner().invoke(main, [*arguments, "--fused-share", "0.4", "--out", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    card = json.loads((tmp_path / "run" / "run.json").read_text())
    assert card["recipe"]["fused_share"] == 0.4
    for other in (["--resample", "ros"], ["--auxiliary-ferplus", str(ferplus)], ["--ferplus", str(ferplus)]):
        refused = CliRunner().invoke(main, [*arguments, *other, "--out", str(tmp_path / "other")])
        assert refused.exit_code == 2
        assert "--fused-ferplus is for FER2013 as it is" in refused.output
    alone = ["train", str(fer_csv), "--fused-share", "0.3", "--out", str(tmp_path / "other")]
    refused = CliRunner().invoke(main, alone)
    assert refused.exit_code == 2
    assert "there is no --fused-ferplus" in refused.output
