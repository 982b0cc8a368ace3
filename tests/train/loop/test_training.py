"""A training run: learns, leaves its files, resumes to the same weights, refuses what is not its own."""

import csv
import dataclasses
import json
from itertools import pairwise

import numpy as np
import pytest

from fer_edge.errors import DataError, ModelFileError
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, read_info, write_info
from fer_edge.train.augment.augmenter import Augmentation
from fer_edge.train.data.dataset import PUBLIC_TEST, TRAINING, Dataset
from fer_edge.train.keras_model import load_model
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop import saving, training
from fer_edge.train.loop.optimizer import make_optimizer, plateau_rate
from fer_edge.train.loop.saving import VIEWS, calibrate_file, read_calibration
from fer_edge.train.loop.temperature import Calibration, at_temperature
from fer_edge.train.loop.training import Epoch, best_epoch, class_weights, train_model
from fer_edge.train.loop.training_data import TrainingMaterial
from fer_edge.train.loop.warm_start import take_weights
from fer_edge.train.recipe import Recipe
from fer_edge.train.zoo.registry import find_architecture
from tests.train.conftest import pictures

LIGHT = Augmentation(flip=False, rotation=2.0, scale=0.02, shift=0.01, erasing=0.1, mixup=0.1)
SHORT = Recipe(epochs=3, batch_size=20, warmup_epochs=0.5, augmentation=LIGHT)


def weights(path):
    return load_model(path / "model.keras").model.get_weights()


@pytest.fixture(scope="module")
def run(tiny, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "a"
    return out, train_model(tiny, "compact", SHORT, out)


def test_it_leaves_what_it_promises(run):
    out, history = run
    info = read_info(out / "model.keras")
    assert info.labels == EXPRESSIONS
    card = json.loads((out / "run.json").read_text())
    assert info.training["run"] == card["run"]
    assert card["recipe"]["augmentation"]["rotation"] == 2.0
    assert card["data"]["images"] == {"trained": 126, "held_out": 14, "dropped": 0}
    assert card["finished"]["epochs"] == 3
    assert card["calibration"]["images"] == 14
    assert info.training["calibration"] == card["calibration"]
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


def killed_and_resumed(tiny, model, recipe, out, monkeypatch):
    """Train, killed after the first epoch, and go on to the end."""
    save = training.save_checkpoint

    def killed_after_the_first_epoch(*arguments):
        save(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "save_checkpoint", killed_after_the_first_epoch)
    with pytest.raises(KeyboardInterrupt):
        train_model(tiny, model, recipe, out)
    monkeypatch.setattr(training, "save_checkpoint", save)
    return train_model(tiny, model, recipe, out, resume=True)


@pytest.mark.parametrize(
    ("model", "recipe"),
    [
        ("compact", SHORT),
        ("nano", dataclasses.replace(SHORT, epochs=2, optimizer="muon", learning_rate=0.01)),
    ],
    ids=["adamw", "muon"],
)
def test_a_killed_run_resumes_to_the_same_weights(tiny, tmp_path, monkeypatch, model, recipe):
    whole, out = tmp_path / "whole", tmp_path / "killed"
    history = train_model(tiny, model, recipe, whole)
    resumed = killed_and_resumed(tiny, model, recipe, out, monkeypatch)
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
    with pytest.raises(DataError, match="resume with the arguments in its run.json"):
        train_model(tiny, "compact", dataclasses.replace(SHORT, seed=2), out, resume=True)


def test_nothing_to_resume(tiny, tmp_path):
    with pytest.raises(DataError, match="expected the checkpoint of a run to resume, found none"):
        train_model(tiny, "compact", SHORT, tmp_path, resume=True)


@pytest.mark.parametrize("damage", [b"", b"junk"])
def test_a_damaged_checkpoint(tiny, run, tmp_path, damage):
    import shutil

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


def epochs(*accuracies):
    return [Epoch(i + 1, 1.0, 0.5, a, 1.0, 0.1, 1.0) for i, a in enumerate(accuracies)]


def test_the_best_epoch_is_the_later_of_equals_and_the_last_without_a_holdout():
    assert best_epoch(epochs(0.1, 0.4, 0.4, 0.3)).epoch == 3
    assert best_epoch(epochs(None, None)).epoch == 2


def test_early_stopping_waits_for_its_patience():
    assert not training._stops_early(epochs(0.5, 0.4, 0.4), 3)
    assert training._stops_early(epochs(0.5, 0.4, 0.4, 0.4), 3)
    assert not training._stops_early(epochs(0.5, 0.4, 0.4, 0.4), 0)
    assert training._stops_early(epochs(0.5, 1.0, 1.0, 1.0), 2)  # as good again is no better


def test_a_diverged_training_is_no_success(tiny, tmp_path):
    recipe = dataclasses.replace(SHORT, optimizer="sgd", learning_rate=1e12)
    with np.errstate(all="ignore"), pytest.raises(DataError, match=r"expected a finite loss, found nan.*lower"):
        train_model(tiny, "nano", recipe, tmp_path / "run")
    assert not (tmp_path / "run/model.keras").exists()


@pytest.mark.parametrize("changes", [{"patience": 3}, {"schedule": "plateau"}])
def test_what_follows_the_held_out_part_needs_one(tiny, tmp_path, changes):
    with pytest.raises(DataError, match="expected images to hold out"):
        train_model(tiny, "nano", dataclasses.replace(SHORT, holdout=0.001, **changes), tmp_path / "run")


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "muon"])
def test_other_optimizers_and_schedules_learn(tiny, tmp_path, optimizer):
    rate = 0.05 if optimizer == "sgd" else 2e-3
    recipe = dataclasses.replace(SHORT, epochs=6, optimizer=optimizer, schedule="plateau", learning_rate=rate)
    history = train_model(tiny, "nano", recipe, tmp_path / "run")
    assert history[-1].loss < history[0].loss
    assert history[-1].learning_rate == pytest.approx(rate)


def test_a_step_of_muon_goes_as_far_in_every_direction_of_a_kernel():
    keras = load_keras()
    layer = keras.layers.Conv2D(8, 3, use_bias=False)
    layer.build((None, 6, 6, 4))
    draw = np.random.default_rng(1)
    # One direction has nearly all of the gradient; a step along it would hardly move the others.
    strong = np.outer(draw.normal(size=36), draw.normal(size=8))
    gradient = (strong + 0.05 * draw.normal(size=(36, 8))).reshape(3, 3, 4, 8).astype(np.float32)
    before = layer.get_weights()[0]
    recipe = dataclasses.replace(SHORT, optimizer="muon", warmup_epochs=0.0, weight_decay=0.0, learning_rate=0.01)
    make_optimizer(recipe, 10).apply([keras.ops.array(gradient)], layer.trainable_variables)
    step = (before - layer.get_weights()[0]).reshape(36, 8)
    values = np.linalg.svd(step, compute_uv=False)
    of_gradient = np.linalg.svd(gradient.reshape(36, 8), compute_uv=False)
    assert of_gradient.max() > 20 * np.median(of_gradient)
    assert values.min() > 0.4 * values.max()
    assert values.max() == pytest.approx(0.01 * 0.2 * 36**0.5, rel=0.3)  # Liu et al. 2025, section 2.2


def test_plateau_lowers_the_rate_after_epochs_without_a_better_one():
    recipe = dataclasses.replace(SHORT, learning_rate=1.0)
    assert plateau_rate(recipe, []) == 1
    assert plateau_rate(recipe, [0.5] * 5) == 1
    assert plateau_rate(recipe, [0.5] * 6) == 0.75
    assert plateau_rate(recipe, [0.5] * 10) == 0.75
    assert plateau_rate(recipe, [0.5] * 11) == 0.75**2
    assert plateau_rate(recipe, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]) == 1


def test_sharpness_aware_steps_learn_and_leave_the_weights_where_they_belong(tiny, tmp_path):
    recipe = dataclasses.replace(SHORT, epochs=6, sam=0.05, class_weighting=0.5)
    history = train_model(tiny, "nano", recipe, tmp_path / "run")
    assert history[-1].loss < history[0].loss
    other = train_model(tiny, "nano", dataclasses.replace(recipe, sam=0.0), tmp_path / "plain")
    assert [e.loss for e in other] != [e.loss for e in history]


def test_class_weights_by_hand():
    labels = np.array([0] * 8 + [1] * 2)
    assert class_weights(labels, 2, 0.0) is None
    assert class_weights(labels, 2, 1.0) == pytest.approx([10 / 16, 10 / 4])
    half = class_weights(labels, 3, 0.5)
    assert half[1] / half[0] == pytest.approx(2)
    assert (half[0] * 8 + half[1] * 2) / 10 == pytest.approx(1)
    assert half[2] == 0


def test_clean_leaves_out_blank_and_conflicting_images(tiny, tmp_path):
    original = tiny.split(TRAINING)
    images = original.images.copy()
    assert original.labels[1] != original.labels[2]
    images[0], images[2] = 128, images[1]  # a blank one; one picture under two labels
    dirty = Dataset.make("dirty", tiny.labels, {TRAINING: dataclasses.replace(original, images=images)})
    train_model(dirty, "nano", dataclasses.replace(SHORT, epochs=1, clean=True), tmp_path / "run")
    assert json.loads((tmp_path / "run/run.json").read_text())["data"]["images"]["dropped"] == 3


def test_votes_are_the_targets_where_there_are_some(tiny):
    split = tiny.split(TRAINING)
    votes = np.full((len(split), 7), 1 / 7, np.float32)
    with_votes = TrainingMaterial(dataclasses.replace(split, votes=votes), 7, SHORT, []).batches(0)[0][0]["target"]
    assert np.allclose(with_votes, 1 / 7)
    assert TrainingMaterial(split, 7, SHORT, []).batches(0)[0][0]["target"].max() == 1


def test_it_begins_with_a_trained_models_weights(tiny, run, tmp_path):
    one = dataclasses.replace(SHORT, epochs=1, learning_rate=1e-9, ema_epochs=0.0, weight_decay=0.0)
    trained = run[0] / "model.keras"
    train_model(tiny, "compact", dataclasses.replace(one, start="hash"), tmp_path / "b", start=trained)
    assert json.loads((tmp_path / "b/run.json").read_text())["recipe"]["start"] == "hash"
    for layer, before in zip(
        *(load_model(p / "model.keras").model.layers for p in (tmp_path / "b", run[0])), strict=True
    ):
        if layer.name.startswith("conv"):
            np.testing.assert_allclose(layer.get_weights()[0], before.get_weights()[0], atol=1e-6)


def test_for_other_classes_only_the_last_layer_begins_anew(run):
    keras = load_keras()
    trained = load_model(run[0] / "model.keras")
    keras.utils.set_random_seed(5)
    classifier = find_architecture("compact").build(48, 3, 0.1)
    last = classifier.get_layer("logits").get_weights()
    take_weights(classifier, trained, ("a", "b", "c"), run[0])
    for layer in classifier.layers:
        expected = last if layer.name == "logits" else trained.model.get_layer(layer.name).get_weights()
        for value, other in zip(layer.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(value, other)


def test_another_networks_weights_are_refused(run):
    trained = load_model(run[0] / "model.keras")
    with pytest.raises(ModelFileError, match="expected the network that is to be trained, found another \\(compact\\)"):
        take_weights(find_architecture("nano").build(48, 7, 0.1), trained, EXPRESSIONS, run[0])


def test_a_run_of_all_images_takes_the_temperature_that_another_one_found(run, tiny, tmp_path):
    card = json.loads((run[0] / "run.json").read_text())
    with pytest.raises(DataError, match="which finds a temperature, found none"):  # 14 images are too few
        read_calibration(run[0], "compact", tiny.fingerprint, SHORT.to_dict())
    card["calibration"] |= {"found": True, "temperature": 1.7}
    (tmp_path / "run.json").write_text(json.dumps(card))
    found = read_calibration(tmp_path, "compact", tiny.fingerprint, SHORT.to_dict())
    whole = dataclasses.replace(SHORT, holdout=0.0)
    train_model(tiny, "compact", whole, tmp_path / "plain")
    train_model(tiny, "compact", whole, tmp_path / "calibrated", calibrated_like=found)
    card = json.loads((tmp_path / "calibrated/run.json").read_text())
    assert card["run"] == json.loads((tmp_path / "plain/run.json").read_text())["run"]
    assert card["calibration"] == {**found["calibration"], "run": found["run"]}
    assert read_info(tmp_path / "calibrated/model.keras").training["calibration"] == card["calibration"]
    images = tiny.split(PUBLIC_TEST).images
    plain, calibrated = (
        load_model(tmp_path / name / "model.keras").predict(images) for name in ("plain", "calibrated")
    )
    assert calibrated == pytest.approx(at_temperature(plain, 1.7), abs=1e-4)
    before = (tmp_path / "calibrated/model.keras").read_bytes()
    train_model(tiny, "compact", whole, tmp_path / "calibrated", resume=True, calibrated_like=found)
    assert (tmp_path / "calibrated/model.keras").read_bytes() == before  # folded in once


def test_the_temperature_is_found_on_views_of_images_with_a_majority(tiny, tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    find_architecture("nano").build(48, 7, 0.0).save(path)
    write_info(path, ModelInfo("nano", EXPRESSIONS))
    split = tiny.split(PUBLIC_TEST)
    agreed = np.arange(len(split)) % 3 > 0
    votes = np.where(agreed[:, None], np.float32([0.6, 0.4, 0, 0, 0, 0, 0]), np.float32([0.5, 0.5, 0, 0, 0, 0, 0]))
    shown = []

    def calibrated(model, scores, labels, images):
        shown.append((scores.reshape(VIEWS, -1, 7), labels.reshape(VIEWS, -1)))
        return Calibration(1.0, 0.0, 0.0, images)

    monkeypatch.setattr(saving, "calibrate", calibrated)
    wide = Augmentation(rotation=20.0, shift=0.1)
    found = calibrate_file(path, dataclasses.replace(split, votes=votes), wide, seed=1)
    ((scores, labels),) = shown
    assert (labels == split.labels[agreed]).all()
    assert found["images"] == agreed.sum()
    assert found["views"] == VIEWS
    plain = load_model(path).predict(split.images[agreed])
    assert all(np.abs(view - other).max() > 1e-3 for view, other in pairwise([plain, *scores]))


def test_where_nobody_agrees_all_held_out_images_are_taken(tiny, tmp_path):
    path = tmp_path / "model.keras"
    find_architecture("nano").build(48, 7, 0.0).save(path)
    write_info(path, ModelInfo("nano", EXPRESSIONS))
    split = tiny.split(PUBLIC_TEST)
    disputed = dataclasses.replace(split, votes=np.full((len(split), 7), 1 / 7, np.float32))
    assert calibrate_file(path, disputed, LIGHT, seed=1)["images"] == len(split)


CALIBRATED = {
    "run": "a",
    "model": "compact",
    "data": {"fingerprint": "f"},
    "recipe": {"distillation": {"teachers": ["t"]}},
    "calibration": {"temperature": 1.2, "error_before": 0.1, "error_after": 0.05},
}


def read(folder, card, model="compact", fingerprint="f", teachers=("t",)):
    (folder / "run.json").write_text(card if isinstance(card, str) else json.dumps(card))
    return read_calibration(folder, model, fingerprint, {"distillation": {"teachers": teachers}})


@pytest.mark.parametrize(
    "card",
    [
        *("", "[]", "{}", '{"run": "a"}'),
        CALIBRATED | {"calibration": {"temperature": 1.2}},
        CALIBRATED | {"calibration": CALIBRATED["calibration"] | {"temperature": "hot"}},
        CALIBRATED | {"calibration": CALIBRATED["calibration"] | {"temperature": 0}},
        CALIBRATED | {"calibration": CALIBRATED["calibration"] | {"temperature": float("inf")}},
        CALIBRATED | {"calibration": CALIBRATED["calibration"] | {"run": "of another"}},
    ],
)
def test_a_run_without_a_temperature_of_its_own_is_told(tmp_path, card):
    with pytest.raises(DataError, match="expected the card of a finished run with a --holdout"):
        read(tmp_path, card)


@pytest.mark.parametrize(
    ("other", "what"),
    [({"model": "large"}, "model"), ({"fingerprint": "g"}, "data set"), ({"teachers": ("u",)}, "teachers")],
)
def test_the_temperature_of_another_model_data_set_or_teachers_is_told(tmp_path, other, what):
    assert read(tmp_path, CALIBRATED)["run"] == "a"
    with pytest.raises(DataError, match=f"expected a run of the same {what}, found one of another"):
        read(tmp_path, CALIBRATED, **other)


def test_a_free_network_does_not_become_a_symmetric_one(run, tiny, tmp_path):
    symmetric = dataclasses.replace(SHORT, symmetric=True)
    with pytest.raises(ModelFileError, match="expected a symmetric network"):
        train_model(tiny, "compact", symmetric, tmp_path / "run", start=run[0] / "model.keras")
    assert not (tmp_path / "run").exists()
