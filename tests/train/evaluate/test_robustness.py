"""The conditions do what their descriptions say, the same each time."""

import numpy as np
import pytest

from fer_edge.train.evaluate.robustness import CONDITIONS, under

BY_NAME = {condition.name: condition for condition in CONDITIONS}


def spot(x=24, y=24, size=48):
    rows, columns = np.mgrid[:size, :size]
    blob = 30 + 200 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18)
    return blob.astype(np.uint8)


def centre(image):
    weights = image.astype(float) - image.min()
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    return (weights * columns).sum() / weights.sum(), (weights * rows).sum() / weights.sum()


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda c: c.name)
def test_each_keeps_shape_and_is_repeatable(condition):
    images = np.random.default_rng(0).integers(0, 255, (6, 48, 48)).astype(np.uint8)
    changed = under(condition, images)
    assert changed.shape == images.shape
    assert changed.dtype == np.uint8
    assert np.array_equal(changed, under(condition, images))
    assert not np.array_equal(changed, images)


def test_shift_is_a_tenth_in_all_four_directions():
    found = {tuple(np.round(np.subtract(centre(i), 24)).astype(int)) for i in under(BY_NAME["shift"], [spot()] * 40)}
    assert found == {(-5, -5), (-5, 5), (5, -5), (5, 5)}


@pytest.mark.parametrize(("name", "zoom"), [("scale 0.8", 0.8), ("scale 1.25", 1.25)])
def test_scale_moves_away_from_or_to_the_centre(name, zoom):
    (image,) = under(BY_NAME[name], [spot(x=33.5, y=23.5)])
    assert np.unravel_index(image.argmax(), image.shape)[1] == pytest.approx(23.5 + 10 * zoom, abs=1)


def test_rotation_turns_both_ways():
    above = [np.unravel_index(i.argmax(), i.shape) for i in under(BY_NAME["rotation"], [spot(x=23.5, y=8.5)] * 20)]
    expected = 15 * np.sin(np.radians(15))
    assert {round(abs(x - 23.5) - expected) for _, x in above} <= {-1, 0, 1}
    assert {x > 23 for _, x in above} == {True, False}


def test_light():
    image = np.full((48, 48), 200, np.uint8)
    assert under(BY_NAME["over-exposure"], [image]).min() == 255
    dark = under(BY_NAME["low light"], [image])
    assert dark.mean() == pytest.approx(50, abs=1)
    assert dark.std() == pytest.approx(4, abs=0.3)


def test_noise_and_blur():
    image = np.full((48, 48), 128, np.uint8)
    assert under(BY_NAME["noise"], [image]).std() == pytest.approx(16, abs=1)
    assert under(BY_NAME["blur"], [spot()]).max() < spot().max()


def test_half_is_covered():
    images = np.random.default_rng(0).integers(0, 255, (40, 48, 48)).astype(np.uint8)
    same = under(BY_NAME["half covered"], images) == images
    assert all(0.49 < s.mean() < 0.52 for s in same)
    assert {tuple(s[[0, -1], [0, -1]] * 1) for s in same} >= {(0, 1), (1, 0)}
