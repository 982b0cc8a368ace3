"""Teachers corrected by votes: as sure as they are right, and no surer."""

import numpy as np
import pytest

from fer_edge.errors import DataError
from fer_edge.train.data.dataset import Split
from fer_edge.train.material import TrainingMaterial
from fer_edge.train.privileged import fit_votes
from fer_edge.train.recipe import Distillation, Recipe


def softmax(logits):
    powers = np.exp(logits)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def doubtful():
    """Labels drawn from known probabilities, a teacher that is twice as sure as they are, and two votes of ten."""
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(20000, 3))
    truth = softmax(logits)
    labels = (rng.random((20000, 1)) > truth.cumsum(axis=1)[:, :2]).sum(axis=1)
    return truth, softmax(2 * logits), labels


def likelihood(probabilities, labels):
    return float(np.log(probabilities[np.arange(len(labels)), labels]).mean())


def test_a_teacher_that_is_too_sure_becomes_as_sure_as_it_is_right(doubtful):
    truth, sure, labels = doubtful
    corrected = fit_votes(sure, np.full((len(labels), 2), 0.5, np.float32), labels)(sure)
    assert corrected.dtype == np.float32
    np.testing.assert_allclose(corrected.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(corrected, truth, atol=0.06)
    assert abs(likelihood(corrected, labels) - likelihood(truth, labels)) < 0.002


def test_votes_that_know_more_than_the_teacher_are_believed(doubtful):
    truth, _, labels = doubtful
    ignorant = np.full_like(truth, 1 / 3)
    with_votes = fit_votes(ignorant, truth, labels)(ignorant)
    assert likelihood(with_votes, labels) > likelihood(ignorant, labels) + 0.2


def test_another_view_of_the_images_is_corrected_alike(doubtful):
    _, sure, labels = doubtful
    correct = fit_votes(sure, np.zeros((len(labels), 1), np.float32), labels)
    np.testing.assert_allclose(correct(sure[::-1]), correct(sure)[::-1], atol=1e-6)
    assert np.abs(correct(sure[:, [1, 0, 2]]) - correct(sure)).max() > 0.1


def test_a_class_without_images_has_no_probability(doubtful):
    _, sure, labels = doubtful
    wider = np.concatenate([sure * 0.9, np.full((len(labels), 1), 0.1, np.float32)], axis=1)
    corrected = fit_votes(wider, np.zeros((len(labels), 1), np.float32), labels)(wider)
    assert corrected.shape == wider.shape
    assert (corrected[:, 3] == 0).all()


class Says:
    """A teacher of fixed probabilities that was trained on none of the images."""

    class info:  # noqa: N801
        contrast, training = "none", {}

    class model:  # noqa: N801
        @staticmethod
        def get_weights():
            return []

    def __init__(self, said):
        self.said = said

    def predict(self, _):
        return self.said


def test_what_is_learned_is_the_corrected_distribution():
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, 64)
    votes = np.eye(2, dtype=np.float32)[labels]
    split = Split(rng.integers(0, 255, (64, 48, 48), np.uint8), labels, np.arange(64), auxiliary=votes)
    unsure = Says(np.full((64, 2), 0.5, np.float32))
    found = {}
    for see_votes in (False, True):
        recipe = Recipe(batch_size=64, distillation=Distillation(("a",), temperature=1.0, views=1, see_votes=see_votes))
        batch, _ = TrainingMaterial(split, 2, recipe, [unsure]).batches(0)[0]
        found[see_votes] = batch["target"]
    np.testing.assert_allclose(found[False][:, 2:4], 0.5)
    label = found[True][:, :2].argmax(axis=1)
    assert (found[True][np.arange(64), 2 + label] > 0.8).all()


def test_votes_that_are_not_there_are_not_passed_over():
    split = Split(np.zeros((64, 48, 48), np.uint8), np.zeros(64, np.int64), np.arange(64))
    recipe = Recipe(batch_size=64, distillation=Distillation(("a",), views=1, see_votes=True))
    with pytest.raises(DataError, match="expected votes on the training images"):
        TrainingMaterial(split, 2, recipe, [Says(np.full((64, 2), 0.5, np.float32))])
