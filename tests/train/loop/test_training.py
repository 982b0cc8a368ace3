"""A training run: learns, leaves its files, resumes to the same weights, refuses what is not its own."""

import csv
import dataclasses
import io
import json
import os
import shutil
import zipfile

import numpy as np
import pytest

from fer_edge.errors import DataError, OutputError
from fer_edge.files import locked_folder
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import read_info
from fer_edge.train.data.dataset import PUBLIC_TEST, TRAINING, Dataset
from fer_edge.train.keras_model import load_model
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop.run_folder import read_metadata
from fer_edge.train.loop.training import train_model
from tests.train.conftest import pictures
from tests.train.loop.conftest import SHORT


def weights(path):
    return load_model(path / "model.keras").model.get_weights()


def test_it_leaves_what_it_promises(run):
    out, history = run
    info = read_info(out / "model.keras")
    assert info.labels == EXPRESSIONS
    metadata = json.loads((out / "run.json").read_text())
    assert info.training["run"] == metadata["run"]
    assert metadata["recipe"]["augmentation"]["rotation"] == 2.0
    assert metadata["data"]["images"] == {"trained": 126, "held_out": 14, "dropped": 0}
    assert metadata["finished"]["epochs"] == 3
    assert metadata["calibration"]["images"] == 14
    assert info.training["calibration"] == metadata["calibration"]
    rows = list(csv.DictReader((out / "history.csv").read_text().splitlines()))
    assert [float(row["loss"]) for row in rows] == [e.loss for e in history]
    assert not list(out.glob(".*"))


def test_it_learns(tiny, tmp_path):
    recipe = dataclasses.replace(SHORT, epochs=10, holdout=0.0)
    history = train_model(tiny, "compact", recipe, tmp_path / "run")
    assert history[-1].loss < history[0].loss
    public = tiny.split(PUBLIC_TEST)
    scores = load_model(tmp_path / "run/model.keras").predict(public.images)
    assert scores.shape == (35, 7)
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert (scores.argmax(axis=1) == public.labels).mean() > 0.8


def killed_and_resumed(tiny, model, recipe, out):
    """Train, killed after the first epoch, and go on to the end."""

    def kill(epoch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_model(tiny, model, recipe, out, watch=kill)
    return train_model(tiny, model, recipe, out, resume=True)


@pytest.mark.parametrize(
    ("model", "recipe"),
    [
        ("compact", SHORT),
        ("nano", dataclasses.replace(SHORT, epochs=2, optimizer="muon", learning_rate=0.01)),
    ],
    ids=["adamw", "muon"],
)
def test_a_killed_run_resumes_to_the_same_weights(tiny, tmp_path, model, recipe):
    whole, out = tmp_path / "whole", tmp_path / "killed"
    history = train_model(tiny, model, recipe, whole)
    resumed = killed_and_resumed(tiny, model, recipe, out)
    assert [e.loss for e in resumed] == pytest.approx([e.loss for e in history], rel=1e-4)
    assert resumed[-1].learning_rate == history[-1].learning_rate
    for value, expected in zip(weights(out), weights(whole), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-3, atol=1e-4)


def test_resuming_a_finished_run_changes_nothing(tiny, run):
    out, history = run
    before = (out / "model.keras").read_bytes()
    assert train_model(tiny, "compact", SHORT, out, resume=True) == history
    assert (out / "model.keras").read_bytes() == before


def test_another_run_is_not_overwritten_and_not_continued(tiny, run):
    out, _ = run
    with pytest.raises(DataError, match="holds a run already; continue it with --resume"):
        train_model(tiny, "compact", SHORT, out)
    other = dataclasses.replace(SHORT, seed=2, epochs=SHORT.epochs + 1)
    with pytest.raises(DataError) as error:
        train_model(tiny, "compact", other, out, resume=True)
    assert f"epochs {SHORT.epochs}, here {SHORT.epochs + 1}" in str(error.value)
    assert f"seed {SHORT.seed}, here 2" in str(error.value)
    assert str(error.value).count(", here ") == 2  # and nothing else differs
    with pytest.raises(DataError, match=r"other settings: model compact, here nano"):
        train_model(tiny, "nano", SHORT, out, resume=True)


def test_other_data_are_named(tiny, run, tmp_path):
    out, _ = run
    metadata = json.loads((out / "run.json").read_text())
    metadata["run"], metadata["data"]["fingerprint"] = "0" * 16, "f" * 64
    metadata["origin"] = {"command": "fer-edge train old.csv --seed 1", "data": "/home/pi/old.csv"}
    copy = tmp_path / "run"
    copy.mkdir()
    (copy / "checkpoint.npz").write_bytes(b"never read")
    (copy / "run.json").write_text(json.dumps(metadata))
    with pytest.raises(DataError) as error:
        train_model(tiny, "compact", SHORT, copy, resume=True, origin={"data": "/home/pi/new.csv"})
    assert "data /home/pi/old.csv (fingerprint ffffffffffff), here /home/pi/new.csv (finger" in str(error.value)
    assert "repeat its command with --resume (fer-edge train old.csv --seed 1)" in str(error.value)


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_in_which_another_process_trains_is_refused(tiny, tmp_path, resume):
    with (
        locked_folder(tmp_path / "run"),
        pytest.raises(OutputError, match=rf"another process at work in it \(process {os.getpid()}, since 20"),
    ):
        train_model(tiny, "nano", SHORT, tmp_path / "run", resume=resume)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "7",
        '"finished run started"',
        "{}",
        '{"run": 7, "started": null}',
        "[" * 100_000,
        '{"run": "x", "recipe": 1}',
    ],
)
def test_metadata_of_another_type_are_refused(tiny, run, tmp_path, content):
    out = tmp_path / "copy"
    shutil.copytree(run[0], out)
    (out / "run.json").write_text(content)
    assert "finished" not in read_metadata(out)
    with pytest.raises(DataError, match="expected the metadata of the run to resume"):
        train_model(tiny, "compact", SHORT, out, resume=True)


@pytest.mark.parametrize("state", ["[]", "{}", '{"history": 3}', '{"history": [{"epoch": 1}]}', '{"history": ["x"]}'])
def test_a_checkpoint_with_another_state_is_refused(tiny, run, tmp_path, state):
    out = tmp_path / "copy"
    shutil.copytree(run[0], out)
    with np.load(out / "checkpoint.npz") as arrays:
        np.savez(tmp_path / "changed.npz", **{**arrays, "state": np.array(state)})
    (tmp_path / "changed.npz").replace(out / "checkpoint.npz")
    with pytest.raises(DataError, match="expected a checkpoint of this run"):
        train_model(tiny, "compact", SHORT, out, resume=True)


def test_a_member_of_a_checkpoint_that_is_no_array(tiny, run, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(run[0], out)
    with zipfile.ZipFile(out / "checkpoint.npz") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(out / "checkpoint.npz", "w") as archive:
        for name, content in (members | {"v0.npy": b"notes"}).items():
            archive.writestr(name, content)
    with pytest.raises(DataError, match="expected a checkpoint of this run, but it cannot be read"):
        train_model(tiny, "compact", SHORT, out, resume=True)


def test_an_array_of_a_checkpoint_that_claims_more_than_there_is_memory(tiny, run, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(run[0], out)
    with zipfile.ZipFile(out / "checkpoint.npz") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (1 << 50,)})
    with zipfile.ZipFile(out / "checkpoint.npz", "w") as archive:
        for name, content in (members | {"v0.npy": header.getvalue()}).items():
            archive.writestr(name, content)
    with pytest.raises(DataError, match="expected a checkpoint of this run"):
        train_model(tiny, "compact", SHORT, out, resume=True)


def test_nothing_to_resume(tiny, tmp_path):
    with pytest.raises(DataError, match="expected the checkpoint of a run to resume, found none"):
        train_model(tiny, "compact", SHORT, tmp_path, resume=True)


@pytest.mark.parametrize("damage", [b"", b"junk"])
def test_a_damaged_checkpoint(tiny, run, tmp_path, damage):
    out = tmp_path / "copy"
    shutil.copytree(run[0], out)
    (out / "checkpoint.npz").write_bytes(damage)
    with pytest.raises(DataError, match="expected a checkpoint of this run"):
        train_model(tiny, "compact", SHORT, out, resume=True)


def test_leaks_are_not_trained_on(tmp_path):
    both = pictures(35, 4)
    leaky = Dataset.make("leaky", EXPRESSIONS, {TRAINING: pictures(140, 1), PUBLIC_TEST: both})
    leaky.splits[TRAINING].images[:20] = both.images[:20]
    train_model(leaky, "compact", dataclasses.replace(SHORT, epochs=1), tmp_path / "run")
    assert json.loads((tmp_path / "run/run.json").read_text())["data"]["images"]["dropped"] == 20


def test_a_diverged_training_is_no_success(tiny, tmp_path):
    recipe = dataclasses.replace(SHORT, optimizer="sgd", learning_rate=1e12)
    with np.errstate(all="ignore"), pytest.raises(DataError, match=r"expected a finite loss, found nan.*lower"):
        train_model(tiny, "nano", recipe, tmp_path / "run")
    assert not (tmp_path / "run/model.keras").exists()


@pytest.mark.parametrize("changes", [{"patience": 3}, {"schedule": "plateau", "warmup_epochs": 0.0}])
def test_what_follows_the_held_out_part_needs_one(tiny, tmp_path, changes):
    with pytest.raises(DataError, match="expected images to hold out"):
        train_model(tiny, "nano", dataclasses.replace(SHORT, holdout=0.001, **changes), tmp_path / "run")


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "muon"])
def test_other_optimizers_and_schedules_learn(tiny, tmp_path, optimizer):
    rate = 0.05 if optimizer == "sgd" else 2e-3
    plateau = {"schedule": "plateau", "warmup_epochs": 0.0, "learning_rate": rate}
    recipe = dataclasses.replace(SHORT, epochs=6, optimizer=optimizer, **plateau)
    history = train_model(tiny, "nano", recipe, tmp_path / "run")
    assert history[-1].loss < history[0].loss
    assert history[-1].learning_rate == pytest.approx(rate)


def test_sharpness_aware_steps_learn_and_leave_the_weights_where_they_belong(tiny, tmp_path):
    recipe = dataclasses.replace(SHORT, epochs=6, sam=0.05, class_weighting=0.5)
    history = train_model(tiny, "nano", recipe, tmp_path / "run")
    assert history[-1].loss < history[0].loss
    other = train_model(tiny, "nano", dataclasses.replace(recipe, sam=0.0), tmp_path / "plain")
    assert [e.loss for e in other] != [e.loss for e in history]


def test_what_needs_tensorflow_is_refused_before_a_folder_is_made(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(load_keras().backend, "backend", lambda: "jax")
    with pytest.raises(DataError, match="--sam: expected Keras on TensorFlow, found jax"):
        train_model(tiny, "nano", dataclasses.replace(SHORT, sam=0.05), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_clean_leaves_out_blank_and_conflicting_images(tiny, tmp_path):
    original = tiny.split(TRAINING)
    images = original.images.copy()
    assert original.labels[1] != original.labels[2]
    images[0], images[2] = 128, images[1]  # a blank one; one picture under two labels
    dirty = Dataset.make("dirty", tiny.labels, {TRAINING: dataclasses.replace(original, images=images)})
    train_model(dirty, "nano", dataclasses.replace(SHORT, epochs=1, clean=True), tmp_path / "run")
    assert json.loads((tmp_path / "run/run.json").read_text())["data"]["images"]["dropped"] == 3
