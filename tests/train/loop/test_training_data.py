"""What an epoch trains on, where several people's votes are its targets."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fer_edge.train.data.dataset import Split
from fer_edge.train.loop.training_data import TrainingMaterial, drawn
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
    labels = drawn(shares, np.random.default_rng(seed))
    assert labels.dtype == np.float32
    assert (labels.sum(axis=1) == 1).all()
    assert (shares[labels == 1] > 0).all()


def test_labels_are_drawn_as_often_as_people_chose_them():
    shares = np.tile(np.float32([0.5, 0, 0.2, 0.3]), (20000, 1))
    found = drawn(shares, np.random.default_rng(1)).mean(axis=0)
    np.testing.assert_allclose(found, shares[0], atol=0.015)


def voted(draw):
    votes = np.tile(np.float32([0.5, 0.5]), (64, 1))
    split = Split(np.zeros((64, 48, 48), np.uint8), np.zeros(64, np.int64), np.arange(64), votes=votes)
    return TrainingMaterial(split, 2, Recipe(draw_labels=draw), ())


def targets(material, epoch):
    batch, _ = material.batches(epoch)[0]
    return batch["target"]


def test_probability_training_draws_anew_every_epoch_and_the_same_in_every_run():
    first, second = targets(voted(True), 0), targets(voted(True), 1)
    assert set(np.unique(first)) == {0, 1}
    assert first[:, 0].sum() != second[:, 0].sum()
    np.testing.assert_array_equal(first, targets(voted(True), 0))


def test_otherwise_the_shares_are_the_target():
    assert (targets(voted(False), 0) == 0.5).all()
