import itertools

import cv2
import numpy as np
import pytest

from fer_edge.device.detection import cascade
from fer_edge.device.detection.cascade import FILE, HaarCascade, find_cascade, group_windows, score, suppress_overlaps
from fer_edge.device.detection.skin import Regions
from fer_edge.device.faces import Detection, iou
from fer_edge.device.frame import frame_from_bgr
from fer_edge.device.tracking.tracker import MIN_HITS, SURE_SCORE
from fer_edge.errors import MissingExtraError
from fer_edge.preprocess import Box

ALL = Regions((), "off")
FACE = Box(79, 65, 98, 98)  # in the portrait


def placed(portrait, scale, x, y, size=(640, 480)):
    """The portrait on a grey wall, and where its face is."""
    picture = np.full((size[1], size[0], 3), 120, np.uint8)
    small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture[y : y + small.shape[0], x : x + small.shape[1]] = small
    face = Box(*(round(scale * v) for v in FACE))
    return frame_from_bgr(picture), Box(face.x + x, face.y + y, face.w, face.h)


@pytest.fixture(scope="module")
def detector():
    return HaarCascade()


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.6])
def test_finds_a_face_of_any_size(detector, portrait, scale):
    frame, face = placed(portrait, scale, 30, 10)
    (found,) = detector.detect(frame, ALL)
    assert iou(found.box, face) > 0.6


def test_a_large_face_is_found_without_a_region(detector, portrait):
    frame, face = placed(portrait, 1.0, 200, 100)
    (found,) = detector.detect(frame, Regions((), None))
    assert iou(found.box, face) > 0.6


def test_a_small_face_is_found_only_in_its_region(detector, portrait):
    frame, face = placed(portrait, 0.4, 400, 300)
    assert detector.detect(frame, Regions((), None)) == []
    assert detector.detect(frame, Regions((Box(0, 0, 200, 200),), None)) == []
    (found,) = detector.detect(frame, Regions((Box(390, 300, 120, 120),), None))
    assert iou(found.box, face) > 0.6


def test_a_region_finds_what_the_whole_picture_finds(detector, portrait):
    frame, _ = placed(portrait, 0.45, 400, 300)
    (everywhere,) = detector.detect(frame, ALL)
    (region,) = detector.detect(frame, Regions((Box(380, 280, 160, 180),), None))
    assert iou(everywhere.box, region.box) > 0.8


def test_faces_below_the_smallest_are_ignored(portrait):
    frame, _ = placed(portrait, 0.4, 400, 300)
    assert HaarCascade(60).detect(frame, ALL) == []
    assert HaarCascade(60).detect(frame, Regions((Box(380, 280, 160, 180),), None)) == []


@pytest.mark.parametrize("size", [(1, 1), (10, 30), (23, 23), (25, 25)])
def test_tiny_pictures_hold_no_face(detector, size):
    frame = frame_from_bgr(np.full((size[1], size[0], 3), 99, np.uint8))
    assert detector.detect(frame, ALL) == []
    assert detector.detect(frame, Regions((Box(0, 0, *size),), None)) == []


def test_boxes_stay_inside_an_odd_picture():
    windows = np.array([[10, 10, 24, 24]] * 9, np.int32)
    (found,) = group_windows(windows, 33, 33)
    assert found == Detection(Box(10, 10, 23, 23), score(9))


def test_too_few_windows_are_no_face():
    windows = np.array([[10, 10, 24, 24]] * cascade.MIN_VOTES, np.int32)
    assert group_windows(windows, 100, 100) == []
    assert group_windows(windows[:0], 100, 100) == []


def test_more_windows_score_higher():
    scores = [score(votes) for votes in range(1000)]
    assert scores[0] == 0
    assert all(0 <= lower < higher < 1 for lower, higher in itertools.pairwise(scores))


def test_ten_windows_are_sure_and_nine_need_a_second_look():
    assert score(9) < SURE_SCORE <= score(10)
    assert MIN_HITS == 2


def test_of_boxes_in_one_another_the_surer_one_stays():
    head, face, other = (
        Detection(Box(0, 0, 90, 90), 0.7),
        Detection(Box(20, 30, 50, 50), 0.9),
        Detection(Box(95, 0, 9, 9), 0.6),
    )
    assert suppress_overlaps([head, face, other]) == [face, other]


def test_a_missing_file_names_every_place(monkeypatch, tmp_path):
    monkeypatch.setattr(cascade, "FOLDERS", (str(tmp_path / "a"), str(tmp_path / "b")))
    monkeypatch.setattr(cv2.data, "haarcascades", str(tmp_path / "wheel"))
    with pytest.raises(MissingExtraError) as refused:
        find_cascade()
    for place in ("a", "b", "wheel"):
        assert str(tmp_path / place) in str(refused.value)
    assert "opencv-data" in str(refused.value)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / FILE).touch()
    assert find_cascade() == tmp_path / "b" / FILE
    with pytest.raises(MissingExtraError, match="cannot load"):
        HaarCascade()


def test_opencv_5_is_named(monkeypatch):
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(MissingExtraError, match="--detector face, or .*opencv-python-headless<5"):
        find_cascade()


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.6])
def test_verifying_finds_what_the_whole_frame_finds(detector, portrait, scale):
    frame, face = placed(portrait, scale, 30, 10)
    (everywhere,) = detector.detect(frame, ALL)
    found = detector.verify(frame.y, face)
    assert iou(found.box, everywhere.box) > 0.8
    assert found.verified
    assert found.score > score(cascade.MIN_VOTES)
    assert detector.verify(frame.y, Box(500, 300, 100, 100)) is None


def test_a_search_of_one_place_does_not_answer_with_its_neighbour(detector, portrait):
    frame, face = placed(portrait, 0.6, 100, 100)
    beside = Box(face.x - round(0.7 * face.w), face.y, face.w, face.h)
    assert detector.verify(frame.y, face)
    assert detector.verify(frame.y, beside) is None
    assert detector.detect_near(frame.y, beside) is None


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.6])
def test_a_quick_search_finds_a_face_that_moved_a_little(detector, portrait, scale):
    frame, face = placed(portrait, scale, 30, 10)
    expected = Box(face.x + face.w // 8, face.y - face.h // 10, face.w, face.h)
    found = detector.detect_near(frame.y, expected)
    assert iou(found.box, face) > 0.6
    assert not found.verified
    assert detector.detect_near(frame.y, Box(500, 300, 100, 100)) is None


def test_a_quick_search_at_the_edge_is_no_error(detector, portrait):
    frame, _ = placed(portrait, 1.0, 0, 0)
    for box in (Box(0, 0, 30, 30), Box(639, 479, 1, 1), Box(0, 0, 640, 480)):
        detector.detect_near(frame.y, box)
        detector.verify(frame.y, box)


def test_candidates_of_one_size(detector, portrait):
    frame, face = placed(portrait, 0.36, 100, 80)
    area = Box(90, 70, 120, 120)
    places = detector.candidates(frame.y, area, 35)
    assert any(iou(box, face) > 0.5 for box in places)
    assert {box.w for box in places} == {35}
    assert {box.w for box in detector.candidates(frame.y, area, 33)} == {33}
    assert detector.candidates(frame.y, Box(300, 300, 100, 100), 35) == []
