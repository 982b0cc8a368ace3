"""What counts as a face, as background, and as neither."""

import numpy as np
import pytest

from fer_edge.train.faces.data.doubt import TeacherRow, box_iou, judge

NONE = np.zeros((0, 4), np.float32)


def row(score, box=(10, 10, 50, 50)):
    return TeacherRow(np.array(box, np.float32), score, np.zeros((5, 2), np.float32))


@pytest.mark.parametrize(
    ("folder", "score", "expected"),
    [
        ("news", 0.9, [True]),
        ("news", 0.5, [False]),
        ("animals", 0.85, []),  # a large face of an animal is background
        ("animals", 0.95, [False]),  # perhaps a person with the animal
        ("rooms", 0.5, []),
        ("rooms", 0.8, [True]),
    ],
)
def test_the_teachers_word_alone(folder, score, expected):
    assert judge(folder, NONE, [row(score)]).certain.tolist() == expected


def test_a_small_face_on_an_animals_picture_is_doubtful():
    assert judge("animals", NONE, [row(0.7, (10, 10, 12, 12))]).certain.tolist() == [False]


def test_a_person_confirms_the_teacher_whose_box_stays():
    judged = judge("ilc", np.array([[8, 5, 56, 60]], np.float32), [row(0.4)])
    assert judged.certain.tolist() == [True]
    assert judged.boxes.tolist() == [[10, 10, 50, 50]]


@pytest.mark.parametrize(
    ("folder", "side", "certain"), [("mask853", 30, True), ("mask853", 8, False), ("ilc", 30, False)]
)
def test_a_persons_box_that_the_teacher_missed(folder, side, certain):
    judged = judge(folder, np.array([[100, 100, side, side]], np.float32), [row(0.9)])
    assert judged.certain.tolist() == [True, certain]
    assert np.isnan(judged.landmarks[1]).all()
    assert box_iou(judged.boxes[1], np.array([[100, 100, side, side]], np.float32))[0] > 0.7
