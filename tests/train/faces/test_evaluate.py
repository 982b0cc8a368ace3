"""The detector's figures, with a detector that knows the answers."""

from pathlib import Path

import numpy as np
import pytest

from fer_edge.faces.crop import Look, Refined
from fer_edge.train.faces.data.annotations import LabelledImage, no_landmarks
from fer_edge.train.faces.data.images import FaceSet, TrainingImage
from fer_edge.train.faces.evaluate import evaluate, table, turned


@pytest.fixture
def images():
    """Ten images with a bright square each, half of them of masked people, and a doubtful face in one."""
    result = []
    for index in range(10):
        luma = np.zeros((100, 140), np.uint8)
        x, y, side = 40 + 5 * index, 50, 20 + 4 * index
        luma[y - side // 2 : y + side // 2, x - side // 2 : x + side // 2] = 200
        squares = np.array([[x, y, side], [10, 10, 12]][: 1 + (index == 3)], np.float32)
        faces = FaceSet(squares, no_landmarks(len(squares)), np.array([True, False][: len(squares)]))
        item = LabelledImage(
            Path(f"{('mask853', 'news')[index % 2]}/{index}.jpg"), squares[:, :0], no_landmarks(0), faces.certain
        )
        result.append((item, TrainingImage((luma,), faces)))
    return result


def bright(luma):
    y, x = np.nonzero(luma > 100)
    return [Refined(Look(x.mean() + 0.5, y.mean() + 0.5, np.sqrt(len(x))), 0.9, np.zeros((5, 2), np.float32))]


def test_a_perfect_detector(images):
    evaluation = evaluate(bright, images)
    rows, matches = evaluation.rows, evaluation.matches
    assert [row.condition for row in rows[:3]] == ["tilt 0", "masked", "tilt 30"]
    assert all(row.precision == 1 and set(row.recalls) == {1.0} for row in rows[:5])
    assert [row.faces for row in rows] == [10, 5, 10, 10, 10, 0, 3, 7, 0]
    assert matches["masked"].images == 5
    assert table(rows).splitlines()[2] == "| tilt 0 | 10 | 10 | 100.0 % | 100.0 % | 100.0 % | 100.0 % |"


def test_a_detector_that_sees_nothing(images):
    rows = evaluate(lambda luma: [], images).rows
    assert rows[0].precision == 0
    assert set(rows[0].recalls) == {0.0}


def test_a_doubtful_face_counts_neither_way(images):
    def also(luma):
        return [*bright(luma), Refined(Look(10, 10, 12), 0.95, np.zeros((5, 2), np.float32))]

    rows = evaluate(also, images[3:4], tilts=(0,)).rows
    assert rows[0].precision == 1


@pytest.mark.parametrize("degrees", [30, -60, 90, 180])
def test_squares_turn_with_the_image(images, degrees):
    _, image = images[5]
    luma, squares = turned(image.luma, image.faces, degrees)
    y, x = np.nonzero(luma > 100)
    assert (x.mean(), y.mean()) == pytest.approx((squares[0, 0], squares[0, 1]), abs=1)
