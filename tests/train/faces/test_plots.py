"""Curves and contact sheets of the face detector."""

import cv2
import numpy as np
import pytest

from fer_edge.train.faces.data.images import FaceSet, TrainingImage
from fer_edge.train.faces.measure import ImageResult, match, precision_recall
from fer_edge.train.faces.plots import CURVES, FALSE_FACES, MISSES, draw, view, worst_false, worst_misses


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


@pytest.fixture
def results():
    """Two images: a sure find and a large miss with a false face; a weak find, a doubtful face and a small miss."""
    return [
        ImageResult(
            boxes((10, 10, 20, 20), (60, 10, 40, 40)),
            boxes(),
            boxes((11, 10, 20, 20), (10, 70, 20, 20)),
            np.array([0.9, 0.8], np.float32),
        ),
        ImageResult(
            boxes((10, 10, 20, 20), (50, 50, 8, 8)),
            boxes((70, 70, 20, 20)),
            boxes((10, 11, 20, 20), (70, 70, 20, 20)),
            np.array([0.3, 0.7], np.float32),
        ),
    ]


def test_the_worst_misses_come_first_large_ones_before_small_ones(results):
    rows = worst_misses(results)
    assert [(index, box[2], round(score, 2)) for index, box, score in rows] == [
        (0, 40, 0),
        (1, 8, 0),
        (1, 20, 0.3),
        (0, 20, 0.9),
    ]


def test_false_faces_meet_no_face_not_even_a_doubtful_one(results):
    ((index, box, score),) = worst_false(results)
    assert (index, *box, round(score, 2)) == (0, 10, 70, 20, 20, 0.8)


def test_precision_falls_where_false_faces_come(results):
    recall, precision = precision_recall(match(results))
    assert recall.tolist() == pytest.approx([0.25, 0.25, 0.5])
    assert precision.tolist() == pytest.approx([1, 0.5, 2 / 3])


def test_a_view_shows_the_box_in_its_middle():
    luma = np.zeros((100, 100), np.uint8)
    luma[40:60, 20:40] = 255
    shown = view(luma, np.array([20, 40, 20, 20], np.float32))
    y, x = np.nonzero(shown > 128)
    assert (x.mean(), y.mean()) == pytest.approx((35.5, 35.5), abs=1)
    assert len(x) == pytest.approx(36 * 36, rel=0.1)
    assert view(luma, np.array([-90, -90, 20, 20], np.float32)).tolist() == np.full((72, 72), 128).tolist()


def test_three_pictures_are_drawn(results, tmp_path):
    nothing = FaceSet(np.zeros((0, 3), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, bool))
    images = [TrainingImage((np.full((100, 100), 90, np.uint8),), nothing)] * 2
    draw(tmp_path, images, results, {"tilt 0": match(results)})
    for name in (CURVES, MISSES, FALSE_FACES):
        assert cv2.imread(str(tmp_path / name)).std() > 0
