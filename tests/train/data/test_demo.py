import sys

import numpy as np
import pytest

from fer_edge.errors import DataError, MissingExtraError
from fer_edge.labels import EXPRESSIONS
from fer_edge.train.data.dataset import PRIVATE_TEST, PUBLIC_TEST, SPLITS, TRAINING
from fer_edge.train.data.demo import PROTOTYPES, SHARES, make_demo
from fer_edge.train.data.demo_face import Actions


@pytest.fixture(scope="module")
def demo():
    return make_demo(training=700, public_test=200, private_test=100)


def test_looks_like_fer2013(demo):
    assert demo.labels == EXPRESSIONS
    assert tuple(demo.splits) == SPLITS
    assert {name: len(split) for name, split in demo.splits.items()} == {
        TRAINING: 700,
        PUBLIC_TEST: 200,
        PRIVATE_TEST: 100,
    }
    for split in demo.splits.values():
        assert split.images.shape == (len(split), 48, 48)
        assert split.images.dtype == np.uint8
        assert split.labels.dtype == split.rows.dtype == np.int64
        assert list(split.rows) == list(range(len(split)))


def test_same_seed_gives_the_same_faces_and_another_seed_others(demo):
    assert make_demo(training=700, public_test=200, private_test=100).fingerprint == demo.fingerprint
    other = make_demo(seed=1, training=20, public_test=0, private_test=0)
    assert not (other.splits[TRAINING].images == demo.splits[TRAINING].images[:20]).all(axis=(1, 2)).any()


def test_a_smaller_split_is_the_beginning_of_a_larger_one(demo):
    small = make_demo(training=0, public_test=30, private_test=0)
    assert tuple(small.splits) == (PUBLIC_TEST,)
    np.testing.assert_array_equal(small.splits[PUBLIC_TEST].images, demo.splits[PUBLIC_TEST].images[:30])
    np.testing.assert_array_equal(small.splits[PUBLIC_TEST].labels, demo.splits[PUBLIC_TEST].labels[:30])


def test_no_image_occurs_twice_in_or_across_the_splits(demo):
    hashes = np.concatenate([split.hashes() for split in demo.splits.values()])
    assert len(set(hashes)) == len(hashes) == 1000


@pytest.mark.parametrize("split", SPLITS)
def test_classes_have_their_shares(demo, split):
    counts = np.bincount(demo.splits[split].labels, minlength=7)
    np.testing.assert_allclose(counts / counts.sum(), SHARES, atol=0.02)
    assert np.bincount(demo.splits[split].labels[:50], minlength=7).min() >= 2


def test_no_picture_is_blank(demo):
    assert min(split.images.std(axis=(1, 2)).min() for split in demo.splits.values()) > 4


def test_every_expression_has_a_prototype_of_actions_that_can_be_drawn():
    assert set(PROTOTYPES) == set(EXPRESSIONS)
    assert sum(SHARES) == pytest.approx(1)
    for units in PROTOTYPES.values():
        Actions(**{f"au{unit}": 1.0 for unit in units})


def test_can_be_learned_but_not_by_a_linear_model_alone(demo):
    """Ridge regression on the pixels is far above the 22 % of always saying happy, and far below a network."""

    def features(split):
        pixels = split.images.reshape(len(split), -1) / 255.0
        pixels = (pixels - pixels.mean(axis=1, keepdims=True)) / pixels.std(axis=1, keepdims=True)
        return np.hstack([pixels, np.ones((len(split), 1))])

    train, test = demo.splits[TRAINING], demo.splits[PUBLIC_TEST]
    x, y = features(train), np.eye(7)[train.labels]
    weights = x.T @ np.linalg.solve(x @ x.T + 300 * np.eye(len(x)), y)
    accuracy = ((features(test) @ weights).argmax(axis=1) == test.labels).mean()
    assert 0.3 < accuracy < 0.8


@pytest.mark.parametrize("arguments", [{"seed": -1}, {"training": -5}])
def test_negative_numbers_are_refused(arguments):
    with pytest.raises(DataError, match=r"demo: expected .* 0 or more, found .*-"):
        make_demo(**arguments)


def test_without_opencv_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r"fer-edge\[train\]"):
        make_demo(training=1, public_test=0, private_test=0)
