"""What an epoch trains on: labels, several people's votes, teachers' predictions, by name."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fer_edge.train.data.dataset import TRAINING, Split
from fer_edge.train.loop.training_data import TrainingData, class_weights, drawn
from fer_edge.train.recipe import Recipe


@settings(max_examples=30, deadline=None)
@given(
    arrays.arrays(np.float32, (20, 4), elements=st.sampled_from([0, 0.25, 1, 3])).filter(
        lambda counts: bool((counts.sum(axis=1) > 0).all())
    ),
    st.integers(0, 99),
)
def test_a_drawn_label_has_votes(counts, seed):
    shares = counts / counts.sum(axis=1, keepdims=True)
    found = drawn(shares, np.random.default_rng(seed))
    assert found.dtype == np.float32
    assert (found.sum(axis=1) == 1).all()
    assert (shares[found == 1] > 0).all()


def test_labels_are_drawn_as_often_as_people_chose_them():
    shares = np.tile(np.float32([0.5, 0, 0.2, 0.3]), (20000, 1))
    found = drawn(shares, np.random.default_rng(1)).mean(axis=0)
    np.testing.assert_allclose(found, shares[0], atol=0.015)


def voted(draw):
    votes = np.tile(np.float32([0.5, 0.5]), (64, 1))
    split = Split(np.zeros((64, 48, 48), np.uint8), np.zeros(64, np.int64), np.arange(64), votes=votes)
    return TrainingData(split, 2, Recipe(draw_labels=draw), ())


def labels(data, epoch):
    batch, _ = data.batches(epoch)[0]
    return batch["targets"]["label"]


def test_probability_training_draws_anew_every_epoch_and_the_same_in_every_run():
    first, second = labels(voted(True), 0), labels(voted(True), 1)
    assert set(np.unique(first)) == {0, 1}
    assert first[:, 0].sum() != second[:, 0].sum()
    np.testing.assert_array_equal(first, labels(voted(True), 0))


def test_otherwise_the_shares_are_the_target():
    assert (labels(voted(False), 0) == 0.5).all()


def test_class_weights_by_hand():
    labels = np.array([0] * 8 + [1] * 2)
    assert class_weights(labels, 2, 0.0) is None
    assert class_weights(labels, 2, 1.0) == pytest.approx([10 / 16, 10 / 4])
    half = class_weights(labels, 3, 0.5)
    assert half[1] / half[0] == pytest.approx(2)
    assert (half[0] * 8 + half[1] * 2) / 10 == pytest.approx(1)
    assert half[2] == 0


def test_votes_are_the_targets_where_there_are_some(tiny):
    split = tiny.split(TRAINING)
    votes = np.full((len(split), 7), 1 / 7, np.float32)
    assert np.allclose(labels(TrainingData(dataclasses.replace(split, votes=votes), 7, Recipe(), []), 0), 1 / 7)
    assert labels(TrainingData(split, 7, Recipe(), []), 0).max() == 1
