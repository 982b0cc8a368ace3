"""A whole run, as short as can be, and what a folder that holds one already is told."""

import json
import logging

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.errors import DataError
from fer_edge.faces.networks import PROPOSER, REFINER
from fer_edge.model_file import read_info
from fer_edge.train.faces.plots import CURVES
from fer_edge.train.faces.run import CARD, EVALUATION, Plan, train_face_detector

SHORT = Plan(seed=2, proposer_steps=1, refiner_steps=1)


@pytest.fixture(scope="module")
def run(face_data, tmp_path_factory):
    """The folder of a finished run."""
    out = tmp_path_factory.mktemp("runs") / "face"
    train_face_detector(face_data, out, SHORT)
    return out


def weights(run):
    import keras

    return keras.saving.load_model(run / f"{REFINER}.keras", compile=False).get_weights()


def test_a_run_leaves_two_networks_and_their_figures(run):
    for name in (PROPOSER, REFINER):
        info = read_info(run / f"{name}.keras")
        assert info.name == name
        assert info.training["run"] == {"seed": 2, "proposer_steps": 1, "refiner_steps": 1}
    assert "| tilt 0 |" in (run / EVALUATION).read_text()


def test_a_finished_run_resumes_to_the_same(run, face_data):
    before = weights(run)
    train_face_detector(face_data, run, SHORT, resume=True)
    for one, other in zip(before, weights(run), strict=True):
        assert (one == other).all()


def test_another_run_in_the_folder_is_refused(run, face_data):
    with pytest.raises(DataError, match="holds a run already"):
        train_face_detector(face_data, run, SHORT)
    with pytest.raises(DataError, match="other arguments or data"):
        train_face_detector(face_data, run, Plan(seed=3), resume=True)


def test_data_without_faces_are_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((30, 40), np.uint8))
    (tmp_path / "annotations.jsonl").write_text('{"file": "a.png"}\n')
    with pytest.raises(DataError, match="expected images with faces"):
        train_face_detector(tmp_path, tmp_path / "run", SHORT)


def test_nothing_to_resume(face_data, tmp_path):
    with pytest.raises(DataError, match=f"{CARD}: expected the card"):
        train_face_detector(face_data, tmp_path / "none", SHORT, resume=True)


def test_the_command_refuses_what_is_about_expressions(face_data, tmp_path):
    arguments = ["train", str(face_data), "--model", "face", "--out", str(tmp_path / "run"), "--epochs", "3"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "--model face takes no --epochs" in result.output


def test_the_command_trains(face_data, tmp_path, monkeypatch):
    def train(data, out, plan, resume):
        logging.getLogger("fer_edge.train.faces.fit").info("step 500 of 35000")
        return []

    monkeypatch.setattr("fer_edge.train.faces.run.train_face_detector", train)
    result = CliRunner().invoke(
        main, ["train", str(face_data), "--model", "face", "--out", str(tmp_path / "run"), "--seed", "5", "--json"]
    )
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == []
    assert "step 500 of 35000" in result.stderr


def test_the_pair_is_measured_together_and_drawn(run, face_data, tmp_path):
    pair = [str(run / f"{name}.keras") for name in (PROPOSER, REFINER)]
    plots = tmp_path / "plots"
    result = CliRunner().invoke(main, ["evaluate", *pair, "--data", str(face_data), "--plots", str(plots)])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[2:] == (run / EVALUATION).read_text().splitlines()[2:]
    assert cv2.imread(str(plots / CURVES)).std() > 0


def test_one_network_alone_is_not_measured(run, face_data):
    result = CliRunner().invoke(main, ["evaluate", str(run / f"{REFINER}.keras"), "--data", str(face_data)])
    assert result.exit_code == 1
    assert "expected one face-proposer and one face-refiner" in result.output


def test_what_is_about_expressions_is_refused(run, face_data):
    pair = [str(run / f"{name}.keras") for name in (PROPOSER, REFINER)]
    result = CliRunner().invoke(main, ["evaluate", *pair, "--data", str(face_data), "--robustness"])
    assert result.exit_code == 2
    assert "face networks take no --robustness" in result.output
