"""Duplicates, leaks, conflicts, blanks, and a holdout that shares nothing with training."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.labels import EXPRESSIONS
from fer_edge.train.data.dataset import PUBLIC_TEST, TRAINING, Dataset, Split
from fer_edge.train.data.duplicates import (
    Findings,
    blank,
    conflicting,
    find_faults,
    hold_out,
    training_without_leaks,
)


def split(pictures):
    """Make a split of (picture number, label) pairs; equal numbers are equal pictures, number 0 is blank."""
    rng = [np.random.default_rng(number).integers(0, 256, (48, 48), dtype=np.uint8) for number, _ in pictures]
    images = [np.full((48, 48), 9, np.uint8) if n == 0 else image for (n, _), image in zip(pictures, rng, strict=True)]
    return Split(np.stack(images), np.array([label for _, label in pictures]), np.arange(len(pictures)))


@pytest.fixture
def dirty():
    training = split([(1, 0), (1, 0), (2, 1), (2, 3), (3, 2), (4, 4), (0, 5)])
    public = split([(3, 2), (3, 2), (5, 6)])
    return Dataset.make("dirty", EXPRESSIONS, {TRAINING: training, PUBLIC_TEST: public})


def test_faults_are_counted(dirty):
    assert find_faults(dirty) == Findings(surplus=4, crossing=1, conflicting=1, blank=1)


def test_which_images(dirty):
    training = dirty.split(TRAINING)
    assert np.flatnonzero(blank(training)).tolist() == [6]
    assert np.flatnonzero(conflicting(training)).tolist() == [2, 3]


def test_leaks_are_dropped_from_training(dirty):
    assert training_without_leaks(dirty).rows.tolist() == [0, 1, 2, 3, 5, 6]


def test_without_test_splits_nothing_leaks(dirty):
    alone = Dataset.make("alone", EXPRESSIONS, {TRAINING: dirty.split(TRAINING)})
    assert len(training_without_leaks(alone)) == 7


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 25), st.integers(0, 6)), min_size=1, max_size=80), st.floats(0.05, 0.5))
def test_the_holdout_shares_no_picture_with_training_and_none_with_itself(pictures, share):
    everything = split(pictures)
    training, held = hold_out(everything, share)
    assert not set(training.hashes()) & set(held.hashes())
    assert len(set(held.hashes())) == len(held)
    lost = len(everything) - len(training) - len(held)
    assert lost == sum(h in set(held.hashes()) for h in everything.hashes()) - len(held)


def test_the_holdout_is_stratified_and_does_not_depend_on_order():
    everything = split([(100 + i, i % 7) for i in range(210)])
    _, held = hold_out(everything, 0.1)
    assert np.bincount(held.labels).tolist() == [3] * 7
    _, shuffled = hold_out(everything.take(np.random.default_rng(0).permutation(210)), 0.1)
    assert set(shuffled.hashes()) == set(held.hashes())
