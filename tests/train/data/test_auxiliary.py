"""FER+ votes as a second thing to learn: they reach the loss, shape the features, and leave no trace in the model."""

import dataclasses

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.errors import DataError
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.data.balance import resample
from fer_edge.train.data.dataset import PUBLIC_TEST, TRAINING
from fer_edge.train.data.load import load_dataset
from fer_edge.train.keras_model import load_model
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop.training import train_model
from fer_edge.train.loop.training_model import AugmentedModel
from fer_edge.train.recipe import Recipe

SHORT = Recipe(epochs=2, batch_size=20, warmup_epochs=0.5, auxiliary_share=0.5, augmentation=Augmentation(mixup=0.5))


@pytest.fixture
def with_votes(fer_csv, ferplus):
    return load_dataset(str(fer_csv), auxiliary=ferplus)


def test_votes_are_shares_of_the_ten_columns_beside_unchanged_labels(with_votes, fer_csv):
    plain = load_dataset(str(fer_csv))
    beside = with_votes.split(TRAINING).auxiliary
    assert beside.shape == (140, 10)
    assert np.allclose(beside.sum(axis=1), 1)
    assert beside[0, 8] == 1  # everybody said "unknown"
    assert beside[7].max() == 0.5  # disputed
    assert np.array_equal(with_votes.split(TRAINING).labels, plain.split(TRAINING).labels)
    assert with_votes.split(PUBLIC_TEST).auxiliary is None
    assert with_votes.fingerprint != plain.fingerprint
    assert with_votes.split(TRAINING).take(np.array([7, 0])).auxiliary[1, 8] == 1


def test_they_survive_a_mapping(fer_csv, ferplus):
    mapped = load_dataset(str(fer_csv), auxiliary=ferplus, mapping={"disgust": ""}).split(TRAINING)
    assert mapped.auxiliary.shape == (120, 10)


def test_the_loss_has_the_second_output():
    keras = load_keras()
    inputs = keras.Input((2,))
    outputs = keras.layers.Softmax()(keras.layers.Dense(3, name="logits")(inputs))
    model = AugmentedModel(keras.Model(inputs, outputs), None, 0.0, auxiliary=(2, 0.25))
    result = {
        "probabilities": np.array([[0.7, 0.2, 0.1]], np.float32),
        "auxiliary": np.array([[0.6, 0.4]], np.float32),
        "targets": {"label": np.float32([[0, 1, 0]]), "auxiliary": np.float32([[0.75, 0.25]])},
    }
    expected = -np.log(0.2) + 0.25 * -(0.75 * np.log(0.6) + 0.25 * np.log(0.4))
    assert np.isclose(float(model.compute_loss(y_pred=result)), expected, rtol=1e-5)


def test_the_saved_model_has_one_output_and_other_weights_than_without(with_votes, fer_csv, tmp_path):
    train_model(with_votes, "nano", SHORT, tmp_path / "with")
    train_model(load_dataset(str(fer_csv)), "nano", dataclasses.replace(SHORT, auxiliary_share=0), tmp_path / "without")
    taught, plain = (load_model(tmp_path / run / "model.keras").model for run in ("with", "without"))
    assert [w.shape for w in taught.get_weights()] == [w.shape for w in plain.get_weights()]
    assert not np.array_equal(taught.get_weights()[0], plain.get_weights()[0])


def test_a_killed_and_resumed_run_ends_with_the_same_weights(with_votes, tmp_path):
    train_model(with_votes, "nano", SHORT, tmp_path / "whole")

    def kill(epoch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_model(with_votes, "nano", SHORT, tmp_path / "killed", watch=kill)
    train_model(with_votes, "nano", SHORT, tmp_path / "killed", resume=True)
    whole, resumed = (load_model(tmp_path / run / "model.keras").model.get_weights() for run in ("whole", "killed"))
    assert all(map(np.array_equal, whole, resumed))


def test_what_does_not_fit_is_refused(with_votes, fer_csv, ferplus, tmp_path):
    with pytest.raises(DataError, match="expected one fer2013.csv that the votes belong to"):
        load_dataset(f"{fer_csv}+demo", auxiliary=ferplus)
    with pytest.raises(DataError, match="found votes"):
        resample(with_votes.split(TRAINING), "smote", 1)
    lines = ferplus.read_text().splitlines()
    lines[3] = ",".join(lines[3].split(",")[:2] + ["0"] * 10)
    ferplus.write_text("\n".join(lines))
    with pytest.raises(DataError, match="found none for image 3"):
        load_dataset(str(fer_csv), auxiliary=ferplus)


def test_the_command(fer_csv, ferplus, tmp_path):
    arguments = ["train", str(fer_csv), "--model", "nano", "--epochs", "1", "--auxiliary-ferplus", str(ferplus)]
    result = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    assert '"auxiliary_share": 0.5' in (tmp_path / "run" / "run.json").read_text()
    refused = CliRunner().invoke(main, [*arguments, "--resample", "ros", "--out", str(tmp_path / "other")])
    assert refused.exit_code == 2
    assert "no --resample" in refused.output
