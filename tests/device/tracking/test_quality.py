"""Which faces can hardly be judged, and why."""

import cv2
import numpy as np
import pytest

from fer_edge.device.sources.demo import PORTRAIT
from fer_edge.device.tracking.quality import LIMITS, REASONS, SUFFICIENT, levels, measures, reason_of
from fer_edge.preprocess import Box, resize_square

BOX = Box(100, 100, 96, 96)
LANDMARKS = ((130.0, 138.0), (166.0, 138.0), (148.0, 158.0), (133.0, 175.0), (163.0, 175.0))


@pytest.fixture(scope="module")
def crop():
    luma = cv2.imread(str(PORTRAIT), cv2.IMREAD_GRAYSCALE)
    return resize_square(luma[65:163, 79:177], 48)


def reason(crop, box=BOX, landmarks=LANDMARKS):
    return reason_of(levels(crop, box, landmarks))


def test_a_clear_face_has_no_reason(crop):
    assert reason(crop) is None
    assert reason(crop, landmarks=None) is None


def test_a_face_of_few_pixels_is_small(crop):
    assert reason(crop, Box(0, 0, 10, 12)) == "small"


def test_a_face_without_light_is_dark(crop):
    assert reason((crop * 0.04).astype(np.uint8)) == "dark"


def test_a_face_out_of_focus_is_blurred(crop):
    assert reason(cv2.GaussianBlur(crop, (0, 0), 4)) == "blurred"


def test_a_nose_beside_the_middle_is_turned_at_any_tilt(crop):
    points = np.array(LANDMARKS)
    points[2, 0] += 0.2 * BOX.w
    for degrees in (0, 40, -70):
        turned = cv2.transform(points[None], cv2.getRotationMatrix2D((148, 150), degrees, 1))[0]
        assert reason(crop, landmarks=tuple(map(tuple, turned))) == "turned"
        straight = cv2.transform(np.array(LANDMARKS)[None], cv2.getRotationMatrix2D((148, 150), degrees, 1))[0]
        assert reason(crop, landmarks=tuple(map(tuple, straight))) is None


def test_a_mouth_behind_a_plain_thing_is_covered(crop):
    masked = crop.copy()
    masked[27:] = 190
    assert reason(masked) == "covered"


def test_the_first_of_several_reasons_is_named(crop):
    assert reason((cv2.GaussianBlur(crop, (0, 0), 4) * 0.04).astype(np.uint8), Box(0, 0, 9, 9)) == "small"


@pytest.mark.parametrize("index", range(len(REASONS)))
def test_a_limit_is_where_the_level_is_half(index, crop, monkeypatch):
    values = [2 * limit for limit in LIMITS]
    values[REASONS.index("turned")] = 0.0
    monkeypatch.setattr("fer_edge.device.tracking.quality.measures", lambda *_: tuple(values))
    assert levels(crop, BOX, LANDMARKS).tolist() == [1.0] * len(REASONS)
    values[index] = LIMITS[index]
    found = levels(crop, BOX, LANDMARKS)
    assert found[index] == SUFFICIENT
    assert np.delete(found, index).tolist() == [1.0] * (len(REASONS) - 1)


def test_detail_counts_alike_in_crops_of_other_sizes(crop):
    index = REASONS.index("blurred")
    smooth = cv2.GaussianBlur(crop, (0, 0), 2)
    double = cv2.resize(smooth, (96, 96), interpolation=cv2.INTER_CUBIC)
    assert measures(double, BOX, None)[index] == pytest.approx(measures(smooth, BOX, None)[index], rel=0.15)


@pytest.mark.parametrize("crop", [np.zeros((48, 48), np.uint8), np.full((48, 48, 3), 255, np.uint8)], ids=str)
def test_an_even_crop_has_levels_all_the_same(crop):
    found = levels(crop, BOX, ((5.0, 5.0),) * 5)
    assert np.isfinite(found).all()
    assert reason_of(found) in ("dark", "blurred")
