"""Distillation: teachers see the student's own images, once; a resumed run ends like an uninterrupted one."""

import dataclasses
import json

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.errors import ModelFileError
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.data.dataset import TRAINING
from fer_edge.train.distill.teacher_predictions import TeacherPredictions, open_teachers, soften
from fer_edge.train.keras_model import load_model
from fer_edge.train.loop.training import train_model
from fer_edge.train.loop.training_data import PartOf, TrainingData
from fer_edge.train.loop.training_model import AugmentedModel
from fer_edge.train.recipe import Distillation, Recipe

LIGHT = Augmentation(rotation=5.0, scale=0.05, shift=0.03, erasing=0.1, mixup=0.5)
TAUGHT = Recipe(
    epochs=3, batch_size=20, warmup_epochs=0.5, augmentation=LIGHT, distillation=Distillation(("a",), views=2)
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def teacher_file(tiny, tmp_path_factory):
    out = tmp_path_factory.mktemp("teacher")
    train_model(tiny, "nano", Recipe(epochs=4, batch_size=20, warmup_epochs=0.5, augmentation=LIGHT), out)
    return out / "model.keras"


@pytest.fixture
def teacher(teacher_file):
    return load_model(teacher_file)


def test_a_copy_is_made_once_and_read_back_the_same(tiny, teacher, monkeypatch):
    images, said = TeacherPredictions(tiny.split(TRAINING), [teacher], LIGHT, seed=1).of_copy(0)
    assert images.shape == tiny.split(TRAINING).images.shape
    assert np.allclose(said.sum(axis=1), 1, atol=2e-3)
    monkeypatch.setattr(teacher, "predict", None)
    again, said_again = TeacherPredictions(tiny.split(TRAINING), [teacher], LIGHT, seed=1).of_copy(0)
    assert np.array_equal(images, again)
    assert np.array_equal(said, said_again)


def test_copies_differ_by_number_seed_augmentation_and_teacher(tiny, teacher, tmp_path):
    split = tiny.split(TRAINING)
    reference, _ = TeacherPredictions(split, [teacher], LIGHT, seed=1).of_copy(0)
    assert not np.array_equal(reference, TeacherPredictions(split, [teacher], LIGHT, seed=1).of_copy(1)[0])
    assert not np.array_equal(reference, TeacherPredictions(split, [teacher], LIGHT, seed=2).of_copy(0)[0])
    other = dataclasses.replace(LIGHT, rotation=9.0)
    assert not np.array_equal(reference, TeacherPredictions(split, [teacher], other, seed=1).of_copy(0)[0])
    teacher.model.set_weights([w * 0.5 for w in teacher.model.get_weights()])
    TeacherPredictions(split, [teacher], LIGHT, seed=1).of_copy(0)
    assert len(list((tmp_path / "cache").rglob("*.npz"))) == 5


def test_students_that_differ_in_the_rest_share_the_copies(tiny, teacher, tmp_path):
    TeacherPredictions(tiny.split(TRAINING), [teacher], LIGHT, seed=1).of_copy(0)
    other = dataclasses.replace(LIGHT, mixup=0.0, erasing=0.5, noise=0.1, flip=False)
    TeacherPredictions(tiny.split(TRAINING), [teacher], other, seed=1).of_copy(0)
    assert len(list((tmp_path / "cache").rglob("*.npz"))) == 1


def test_a_run_that_holds_out_a_part_shares_the_copies_of_one_that_does_not(tiny, teacher, tmp_path):
    whole = tiny.split(TRAINING)
    kept = np.arange(len(whole)) % 10 > 0
    part = whole.take(kept)
    shown = TrainingData(part, 7, TAUGHT, [teacher], PartOf(whole, kept)).batches(0)
    of_all = TrainingData(whole, 7, TAUGHT, [teacher]).batches(0)
    assert len(list((tmp_path / "cache").rglob("*.npz"))) == 1
    np.testing.assert_array_equal(shown.images, of_all.images[kept])
    for name in ("label", "teachers"):
        np.testing.assert_array_equal(shown.targets[name], of_all.targets[name][kept])


def test_mixed_copies_are_made_without_what_is_held_out(tiny, teacher):
    whole = tiny.split(TRAINING)
    kept = np.arange(len(whole)) % 10 > 0
    mixing = dataclasses.replace(TAUGHT, distillation=dataclasses.replace(TAUGHT.distillation, mixed=0.5))
    part = whole.take(kept)
    shown = TrainingData(part, 7, mixing, [teacher], PartOf(whole, kept)).batches(0)
    alone = TrainingData(part, 7, mixing, [teacher]).batches(0)
    np.testing.assert_array_equal(shown.images, alone.images)


def test_the_teacher_predicts_the_copy_and_its_mirror(tiny, teacher):
    images, said = TeacherPredictions(tiny.split(TRAINING), [teacher], LIGHT, seed=1).of_copy(0)
    expected = (teacher.predict(images) + teacher.predict(images[:, :, ::-1])) / 2
    assert np.allclose(said, expected, atol=1e-3)


def test_a_symmetric_teacher_is_asked_once(tiny, teacher, monkeypatch):
    recipe = {**teacher.info.training["recipe"], "symmetric": True}
    teacher.info = dataclasses.replace(teacher.info, training={**teacher.info.training, "recipe": recipe})
    asked = []
    plain = teacher.predict
    monkeypatch.setattr(teacher, "predict", lambda images: asked.append(images) or plain(images))
    images, said = TeacherPredictions(tiny.split(TRAINING), [teacher], LIGHT, seed=1).of_copy(0)
    assert len(asked) == 1
    assert said == pytest.approx(plain(images), abs=2e-3)


def test_a_teacher_of_an_older_version_is_asked_about_every_image(tiny, teacher):
    """Files of runs with ``--leave-out``, an option that is gone, name the part that they were trained without."""
    recipe = {**teacher.info.training["recipe"], "leave_out": "1/2"}
    teacher.info = dataclasses.replace(teacher.info, training={**teacher.info.training, "recipe": recipe})
    images, said = TeacherPredictions(tiny.split(TRAINING), [teacher], LIGHT, seed=1).of_copy(0)
    expected = (teacher.predict(images) + teacher.predict(images[:, :, ::-1])) / 2
    assert np.allclose(said, expected, atol=1e-3)


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(tiny, teacher, tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file where the folder should be")
    copies = TeacherPredictions(tiny.split(TRAINING), [teacher], LIGHT, seed=1)
    images, said = copies.of_copy(0)
    assert len(images) == len(tiny.split(TRAINING))
    monkeypatch.setattr(teacher, "predict", None)  # it is not asked anew every time its turn comes
    again, said_again = copies.of_copy(0)
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(said, said_again)


def test_an_interrupted_writing_leaves_nothing_in_the_cache(tiny, teacher, tmp_path, monkeypatch):
    saved = np.savez

    def interrupted(*arguments, **arrays):
        saved(*arguments, **arrays)
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        TeacherPredictions(tiny.split(TRAINING), [teacher], LIGHT, seed=1).of_copy(0)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_a_torn_cache_is_made_again(tiny, teacher, tmp_path):
    images, _ = TeacherPredictions(tiny.split(TRAINING), [teacher], LIGHT, seed=1).of_copy(0)
    (kept,) = (tmp_path / "cache").rglob("*.npz")
    kept.write_bytes(kept.read_bytes()[:1000])
    assert np.array_equal(images, TeacherPredictions(tiny.split(TRAINING), [teacher], LIGHT, seed=1).of_copy(0)[0])


def test_soften_is_a_softmax_of_divided_logits():
    logits = np.array([[1.0, 2.0, 4.0]])
    p = np.exp(logits) / np.exp(logits).sum()
    expected = np.exp(logits / 3) / np.exp(logits / 3).sum()
    assert np.allclose(soften(p.astype(np.float32), 3.0), expected, atol=1e-6)


def test_the_loss_mixes_labels_and_teachers():
    p = np.array([[0.7, 0.2, 0.1]], np.float32)
    label, teacher = np.array([[0.0, 1.0, 0.0]]), np.array([[0.5, 0.25, 0.25]])
    model = AugmentedModel(None, None, 0.0, Distillation((), share=0.6, temperature=2.0))
    result = {"probabilities": p, "targets": {"label": np.float32(label), "teachers": np.float32(teacher)}}
    roots = np.sqrt(p) / np.sqrt(p).sum()
    expected = 0.4 * -np.log(0.2) + 0.6 * 4 * -(teacher * np.log(roots)).sum()
    assert np.isclose(float(model.compute_loss(y_pred=result)), expected, rtol=1e-5)


def test_a_killed_and_resumed_distillation_ends_with_the_same_weights(tiny, teacher, tmp_path):
    train_model(tiny, "nano", TAUGHT, tmp_path / "whole", teachers=[teacher])

    def kill(epoch):
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_model(tiny, "nano", TAUGHT, tmp_path / "killed", teachers=[teacher], watch=kill)
    train_model(tiny, "nano", TAUGHT, tmp_path / "killed", teachers=[teacher], resume=True)
    whole, resumed = (load_model(tmp_path / run / "model.keras").model.get_weights() for run in ("whole", "killed"))
    for a, b in zip(whole, resumed, strict=True):
        assert np.array_equal(a, b)


def test_a_teacher_with_other_labels_is_refused(teacher_file):
    with pytest.raises(ModelFileError, match="expected a teacher for a, b, found one for angry"):
        open_teachers([teacher_file], ("a", "b"), 48)


def test_of_a_teacher_of_more_classes_the_others_are_left_out(teacher_file, teacher, tiny):
    wanted = tuple(label for label in teacher.info.labels if label != "neutral")
    (narrowed,) = open_teachers([teacher_file], wanted, 48)
    assert narrowed.info.labels == wanted
    images = tiny.split(TRAINING).images[:20]
    kept = np.delete(teacher.predict(images), teacher.info.labels.index("neutral"), axis=1)
    assert np.allclose(narrowed.predict(images), kept / kept.sum(axis=1, keepdims=True), atol=1e-5)
    _, said = TeacherPredictions(tiny.split(TRAINING), [narrowed], LIGHT, seed=1).of_copy(0)
    assert said.shape[1] == len(wanted)  # and not what the whole teacher said of the same view


def test_a_teacher_of_another_size_is_refused(teacher_file, teacher):
    with pytest.raises(ModelFileError, match="sees 40x40 grey pixels, found one for 48x48"):
        open_teachers([teacher_file], teacher.info.labels, 40)


def test_the_command_learns_from_a_teacher(teacher_file, tmp_path):
    arguments = ["train", "demo", "--model", "nano", "--epochs", "1", "--views", "1", "--teacher", str(teacher_file)]
    result = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    # 4,000 images of 48 x 48 bytes, a tenth of which the student does not get.
    assert f"note: {tmp_path / 'cache'}/fer-edge/views holds 9 MB of teachers' views" in result.stderr


def test_mixed_copies_hold_mixtures_and_the_teachers_predict_them(tiny, teacher):
    split = tiny.split(TRAINING)
    plain, _ = TeacherPredictions(split, [teacher], LIGHT, seed=1).of_copy(0)
    copies = TeacherPredictions(split, [teacher], LIGHT, seed=1, mixed=0.5)
    images, said = copies.of_copy(0)
    partner, weight = copies.mixing(0)
    alone = weight == 1
    assert 40 < alone.sum() < 100  # of 140
    assert weight.min() < 0.1
    assert np.array_equal(images[alone], plain[alone])
    expected = weight[:, None, None] * plain + (1 - weight[:, None, None]) * plain[partner]
    assert np.abs(images - expected).max() <= 0.51
    both_ways = (teacher.predict(images) + teacher.predict(images[:, :, ::-1])) / 2
    assert said == pytest.approx(both_ways, abs=2e-3)
    assert not np.array_equal(copies.mixing(1)[0], partner)


def test_the_targets_are_mixed_as_the_images_are(tiny, teacher):
    split = dataclasses.replace(tiny.split(TRAINING), auxiliary=np.eye(5, dtype=np.float32)[np.arange(140) % 5])
    recipe = Recipe(batch_size=140, augmentation=LIGHT, distillation=Distillation(("a",), views=2, mixed=1.0))
    batches = TrainingData(split, 7, recipe, [teacher]).batches(3)
    targets = batches[0][0]["targets"]
    partner, weight = TeacherPredictions(split, [teacher], LIGHT, seed=recipe.seed, mixed=1.0).mixing(1)
    for name, rows in (("label", np.eye(7)[split.labels]), ("auxiliary", split.auxiliary)):
        expected = weight[:, None] * rows + (1 - weight[:, None]) * rows[partner]
        assert targets[name] == pytest.approx(expected[batches.order], abs=1e-6)


def test_a_run_with_mixed_copies_is_another_run(tiny, teacher, tmp_path):
    cards = []
    for mixed in (0.0, 0.5):
        taught = dataclasses.replace(TAUGHT, epochs=1, distillation=Distillation(("a",), views=1, mixed=mixed))
        train_model(tiny, "nano", taught, tmp_path / str(mixed), teachers=[teacher])
        cards.append(json.loads((tmp_path / str(mixed) / "run.json").read_text()))
    assert cards[0]["run"] != cards[1]["run"]
    assert "mixed" not in cards[0]["recipe"]["distillation"]
    assert cards[1]["recipe"]["distillation"]["mixed"] == 0.5
