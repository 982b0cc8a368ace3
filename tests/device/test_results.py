import numpy as np
import pytest

from fer_edge.device.results import FrameResult, make_face
from fer_edge.preprocess import Box

LABELS = ("happy", "sad")
SCORES = np.array([0.75, 0.25], np.float32)
LANDMARKS = ((10.04, 20.0), (30.0, 20.0), (20.0, 30.06), (12.0, 40.0), (28.0, 40.0))


def test_landmarks_are_told_where_there_are_any():
    face = make_face(1, Box(0, 10, 40, 40), LABELS, SCORES, landmarks=LANDMARKS)
    assert face.to_dict()["landmarks"] == [[10.0, 20.0], [30.0, 20.0], [20.0, 30.1], [12.0, 40.0], [28.0, 40.0]]
    assert "landmarks" not in make_face(1, Box(0, 10, 40, 40), LABELS, SCORES).to_dict()


@pytest.mark.parametrize("landmarks", [None, LANDMARKS])
def test_a_face_of_a_smaller_copy_is_placed_in_the_original(landmarks):
    face = make_face(3, Box(10, 10, 40, 40), LABELS, SCORES, landmarks=landmarks)
    large = face.resized(2.0, 95, 200)
    assert large.box == Box(20, 20, 75, 80)  # cut at the edge
    assert large.landmarks == (landmarks and tuple((2 * x, 2 * y) for x, y in landmarks))
    assert (large.id, large.label, large.scores) == (3, "happy", face.scores)


def test_a_reason_makes_a_face_uncertain_and_is_told():
    face = make_face(1, Box(0, 10, 40, 40), LABELS, SCORES, quality=0.312, reason="blurred")
    assert face.uncertain
    assert face.to_dict() | {"quality": 0.31, "reason": "blurred", "uncertain": True} == face.to_dict()
    clear = make_face(1, Box(0, 10, 40, 40), LABELS, SCORES)
    assert not clear.uncertain
    assert "reason" not in clear.to_dict()


def test_faces_of_low_quality_are_left_out_of_a_result():
    faces = [make_face(i, Box(0, 0, 9, 9), LABELS, SCORES, quality=i / 4) for i in range(5)]
    result = FrameResult(0, 0.0, tuple(faces), {}, frame=None)
    assert [face.id for face in result.of_quality(0.5).faces] == [2, 3, 4]
    assert result.of_quality(0) is result
