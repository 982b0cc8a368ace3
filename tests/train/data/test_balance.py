"""Balancing: on Training alone nothing of a test gets in, and the leaky protocol leaks as measured."""

import numpy as np
import pytest

from fer_edge.errors import DataError
from fer_edge.train.data.balance import METHODS, ancestors, leaky_resample, measure_leak, pool, resample
from fer_edge.train.data.dataset import PUBLIC_TEST, TRAINING, Dataset, Split
from fer_edge.train.data.duplicates import hold_out, training_without_leaks

SIZES = (60, 12, 25)
SIDE = 48


def half_pictures(sizes, seed, half):
    """Noise in one half of the picture, nothing in the other: whatever is made from it shows nothing there, too."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    images = np.zeros((len(labels), SIDE, SIDE), np.uint8)
    # The classes overlap, or cleaning would find nothing to clean.
    images[:, :, half] = rng.integers(1, 200, (len(labels), SIDE, half.stop - half.start)) + 8 * labels[:, None, None]
    return Split(images, labels.astype(np.int64), np.arange(len(labels)))


@pytest.fixture
def halves():
    """Training pictures have their left half, tests their right."""
    left, right = slice(0, SIDE // 2), slice(SIDE // 2, SIDE)
    splits = {TRAINING: half_pictures(SIZES, 1, left), PUBLIC_TEST: half_pictures((30, 6, 12), 2, right)}
    return Dataset.make("halves", ("a", "b", "c"), splits)


@pytest.mark.parametrize("method", ["ros", "smote", "smote-tomek"])
def test_every_class_is_raised_to_the_largest(halves, method):
    balanced = resample(halves.split(TRAINING), method, 1)
    counts = np.bincount(balanced.labels)
    assert counts.max() == 60
    assert (counts == 60).all() or method == "smote-tomek"
    assert counts.min() > 50


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_images(halves, method):
    once, again, other = (resample(halves.split(TRAINING), method, seed) for seed in (1, 1, 2))
    assert once.images.dtype == np.uint8
    assert (once.images == again.images).all()
    assert not np.array_equal(once.images, other.images)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_of_a_test_or_of_the_holdout_gets_into_training(halves, method):
    """A line between two pictures is dark where both are: any share of a test would light the right half."""
    balanced = resample(halves.split(TRAINING), method, 1)
    assert balanced.images[:, :, : SIDE // 2].any(axis=(1, 2)).all()
    assert not balanced.images[:, :, SIDE // 2 :].any()
    tests = {PUBLIC_TEST: halves.split(PUBLIC_TEST)}
    identical, derived = measure_leak(Dataset.make("clean", halves.labels, {TRAINING: balanced, **tests}), pool(halves))
    assert (len(identical), identical.sum(), derived.sum()) == (48, 0, 0)


def test_nor_of_the_holdout(halves):
    training, held = hold_out(training_without_leaks(halves), 0.2)
    held.images[:, :, SIDE // 2 :] = 255
    balanced = resample(training, "smote", 1)
    assert len(balanced) > len(training)
    assert not balanced.images[:, :, SIDE // 2 :].any()


@pytest.mark.parametrize(
    ("method", "identical", "derived"), [("ros", 0.5, 0.5), ("smote", 0, 0.5), ("smote-tomek", 0, 0.5)]
)
def test_the_leaky_protocol_leaks(halves, method, identical, derived):
    leaky = leaky_resample(halves, method, 1)
    copied, related = measure_leak(leaky, pool(halves))
    assert copied.mean() >= identical
    assert related.mean() > derived
    # The same measure finds the tests' light in training: pictures of the right half are there.
    assert leaky.split(TRAINING).images[:, :, SIDE // 2 :].any()


def test_the_leaky_protocol_says_so(halves):
    leaky = leaky_resample(halves, "ros", 1)
    assert leaky.name == "halves (leaky ros)"
    assert "LEAKY" in leaky.notes[-1]
    assert leaky.fingerprint != halves.fingerprint
    assert {name: len(split) for name, split in leaky.splits.items()} == {
        "Training": 216, "PublicTest": 27, "PrivateTest": 27,
    }  # fmt: skip


def test_duplicates_and_blanks_can_be_dropped_from_the_pool(halves):
    training = halves.split(TRAINING)
    training.images[0], training.images[2] = 7, training.images[1]
    assert len(pool(leaky_resample(halves, "ros", 1, drop_duplicates=True))) == 3 * 88


def test_ancestors_are_the_ends_of_the_line():
    originals = half_pictures((30,), 5, slice(0, SIDE))
    rng = np.random.default_rng(0)
    ends = np.array([rng.choice(30, 2, replace=False) for _ in range(50)])
    share = rng.uniform(0.02, 0.98, (50, 1, 1))
    first, second = originals.images[ends[:, 0]].astype(float), originals.images[ends[:, 1]].astype(float)
    made = np.rint(first + share * (second - first)).astype(np.uint8)
    found = ancestors(Split(made, np.zeros(50, np.int64), np.full(50, -1)), originals)
    assert (np.sort(found) == np.sort(ends)).all()


def test_what_is_made_from_nothing_known_has_no_ancestors():
    originals = half_pictures((30,), 5, slice(0, SIDE))
    strangers = half_pictures((10,), 6, slice(0, SIDE))
    assert (ancestors(strangers, originals) == -1).all()
    assert (ancestors(originals, originals) == np.arange(30)[:, None]).all()


def test_votes_survive_copies_and_are_refused_by_smote(halves):
    split = halves.split(TRAINING)
    votes = np.eye(3, dtype=np.float32)[split.labels]
    soft = Split(split.images, split.labels, split.rows, votes)
    balanced = resample(soft, "ros", 1)
    assert (balanced.votes.argmax(axis=1) == balanced.labels).all()
    with pytest.raises(DataError, match="expected one label an image to balance by smote, found votes"):
        resample(soft, "smote", 1)


def test_too_few_images():
    with pytest.raises(DataError, match="expected at least 6 images of each class .* found 5 of 'b'; use ros"):
        resample(half_pictures((20, 5), 1, slice(0, SIDE)), "smote", 1, ("a", "b"))
    with pytest.raises(DataError, match="two or more classes"):
        resample(half_pictures((20,), 1, slice(0, SIDE)), "ros", 1)
