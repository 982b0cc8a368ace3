import itertools

import numpy as np
import pytest

from fer_edge.device.detection.cascade import HaarCascade
from fer_edge.device.detection.scanner import FRAME_SCAN_S, LOOKS, MOTION_SCAN_S
from fer_edge.device.detection.search import SpreadSearch, distinct
from fer_edge.device.detection.skin import segmentation
from fer_edge.device.faces import Detection, iou
from fer_edge.device.frame import Frame, frame_from_bgr
from fer_edge.device.tracking.tracker import Track, Tracker
from fer_edge.preprocess import Box


class CountingCascade(HaarCascade):
    """Counts the searches by kind."""

    def __init__(self):
        super().__init__()
        self.verified = self.near = self.positions = self.in_small_copies = 0

    def verify(self, luma, box):
        self.verified += 1
        return super().verify(luma, box)

    def detect_near(self, luma, box):
        self.near += 1
        return super().detect_near(luma, box)

    def candidates(self, luma, area, side):
        self.positions += (area.w - side) * (area.h - side)
        self.in_small_copies += luma.shape[0] < 480
        return super().candidates(luma, area, side)


def play(bgr, seconds, rate, skin="off"):
    """Show one picture for some time; returns the cascade, what was found in each picture, and the tracks."""
    cascade, tracker = CountingCascade(), Tracker()
    search = SpreadSearch(cascade, segmentation(skin, 24))
    frame, found, tracks = frame_from_bgr(bgr), [], []
    for index in range(round(seconds * rate)):
        time = index / rate
        found.append(search.find(Frame(frame.y, frame.cb, frame.cr, time, index, frame.width, frame.height), tracks))
        tracker.update(found[-1].detections, time)
        tracks = tracker.tracks
    return cascade, found, tracks


@pytest.fixture(scope="module")
def scene(portrait):
    picture = np.full((480, 640, 3), 120, np.uint8)
    picture[100:388, 200:456] = portrait
    return picture


def test_a_still_face_is_mostly_followed(scene):
    cascade, found, (track,) = play(scene, 3, 30)
    assert track.id == 1
    assert all(len(f.detections) == 1 for f in found)
    assert iou(track.box, Box(279, 165, 98, 98)) > 0.6
    assert cascade.near <= 3 / 0.09
    assert 4 <= cascade.verified <= 12


@pytest.mark.parametrize("rate", [5, 10, 30])
def test_at_any_rate_the_search_takes_its_share_of_time(rate):
    noise = np.random.default_rng(3)
    cascade, tracker = CountingCascade(), Tracker()
    search = SpreadSearch(cascade, segmentation("off", 24))
    work = []
    for index in range(4 * rate):
        bgr = np.full((240, 320, 3), 100, np.uint8)
        x = int(noise.integers(0, 280))
        bgr[100:140, x : x + 40] = 160
        frame = frame_from_bgr(bgr, index / rate, index)
        before = cascade.positions
        search.find(frame, tracker.tracks)
        work.append(cascade.positions - before)
    assert work[0] > 3 * max(work[1:])
    per_second = sum(work[1:]) / 4
    assert 0.5 * work[0] / FRAME_SCAN_S < per_second < work[0] / MOTION_SCAN_S


def test_what_moves_is_searched_more_often():
    still, busy = (CountingCascade(), Tracker()), (CountingCascade(), Tracker())
    for moves, (cascade, tracker) in ((0, still), (1, busy)):
        search = SpreadSearch(cascade, segmentation("off", 24))
        for index in range(60):
            bgr = np.full((480, 640, 3), 100, np.uint8)
            bgr[200:260, 100 + 5 * index * moves : 160 + 5 * index * moves] = 160
            search.find(frame_from_bgr(bgr, index / 30, index), tracker.tracks)
    assert 1.2 * still[0].in_small_copies < busy[0].in_small_copies < 3 * still[0].in_small_copies


def test_the_first_frame_is_searched_whole(scene):
    _, found, _ = play(scene, 0.2, 30)
    assert found[0].full
    assert found[0].searched > 2 * max(f.searched for f in found[1:])


def test_small_faces_are_found_within_their_scan(portrait):
    import cv2

    picture = np.full((480, 640, 3), 120, np.uint8)
    small = cv2.resize(portrait, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    picture[300 : 300 + small.shape[0], 400 : 400 + small.shape[1]] = small
    _, _, tracks = play(picture, 0.5, 30)
    assert [t.id for t in tracks] == [1]
    assert abs(tracks[0].box.w - 39) < 10


def test_boxes_stay_inside_an_odd_frame(portrait):
    picture = portrait[60:191, 70:181]  # 131 x 111, the face fills it
    _, found, _ = play(picture, 0.3, 30)
    for detection in itertools.chain.from_iterable(f.detections for f in found):
        assert detection.box.x + detection.box.w <= 111
        assert detection.box.y + detection.box.h <= 131


def test_of_two_answers_to_a_face_one_stays():
    near, nearer, behind = (
        Detection(Box(x, 0, side, side), score) for x, side, score in ((0, 100, 0.9), (4, 96, 0.7), (60, 60, 0.5))
    )
    assert distinct([near, nearer, behind], []) == [near, behind]
    assert distinct([near], [Detection(Box(20, 20, 50, 50), 0.99)]) == [near]
    other = Detection(Box(300, 0, 50, 50), 0.9)
    assert distinct([near], [other]) == [near, other]


class Scripted:
    """A cascade that answers what it was told to, and remembers the boxes to verify."""

    smallest = 24

    def __init__(self, candidates=(), faces=()):
        self._candidates, self._faces, self.verified, self.tiles = candidates, faces, [], 0

    def candidates(self, luma, area, side):
        self.tiles += 1
        return list(self._candidates) if luma.shape == (240, 320) and side == 24 else []

    def verify(self, luma, box):
        self.verified.append(box)
        return next((Detection(face, 0.9) for face in self._faces if iou(face, box) > 0.5), None)

    def detect_near(self, luma, box):
        return None


def grey(index=0, rate=30, level=100):
    plane = np.full((480, 640), level, np.uint8)
    chroma = np.full((240, 320), 128, np.uint8)
    return Frame(plane, chroma, chroma, index / rate, index, 640, 480)


def test_a_large_window_without_a_face_hides_no_small_face_in_it():
    cascade = Scripted([Box(20, 20, 100, 100), Box(60, 60, 30, 30)], [Box(120, 120, 60, 60)])
    found = SpreadSearch(cascade, segmentation("off", 24)).find(grey(), ())
    assert [d.box for d in found.detections] == [Box(120, 120, 60, 60)]


def test_a_window_that_was_refused_is_not_verified_again():
    cascade = Scripted([Box(20, 20, 30, 30), Box(22, 20, 30, 30), Box(80, 80, 30, 30)])
    SpreadSearch(cascade, segmentation("off", 24)).find(grey(), ())
    assert len([box for box in cascade.verified if box.x < 100]) == 1


def confirmed(*boxes):
    return tuple(Track(number, box, 1, 0.0) for number, box in enumerate(boxes, 1))


def test_a_face_that_a_quick_search_loses_is_verified_at_once():
    face = Box(100, 100, 60, 60)
    cascade = Scripted(faces=[face])
    search = SpreadSearch(cascade, segmentation("off", 24))
    search.find(grey(), ())
    found = search.find(grey(3), confirmed(face))
    assert [(d.box, d.verified) for d in found.detections] == [(face, True)]


@pytest.mark.parametrize(("here", "tracked"), [(6, 6), (0, 1)])
def test_scans_hurry_in_a_crowd_and_after_a_loss(here, tracked):
    boxes = [Box(90 * place, 100, 60, 60) for place in range(6)]
    counts = []
    for faces, tracks in ((boxes[:here], confirmed(*boxes[:tracked])), ([], ())):
        cascade = Scripted(faces=faces)
        search = SpreadSearch(cascade, segmentation("off", 24))
        search.find(grey(), ())
        first = cascade.tiles
        for index in range(1, 60):
            search.find(grey(index), tracks)
        counts.append(cascade.tiles - first)
    assert counts[0] > 1.15 * counts[1]


class Suspicious(CountingCascade):
    """Takes all that it sees for a face until it looks closely."""

    def __init__(self):
        super().__init__()
        self.looked_at = []

    def candidates(self, luma, area, side):
        rows, columns = (range(start, start + size - side, side) for start, size in (area[1::2], area[::2]))
        return [Box(x, y, side, side) for y in rows for x in columns]

    def verify(self, luma, box):
        self.looked_at.append(box.w)


def test_the_work_of_one_frame_is_bounded():
    cascade = Suspicious()
    search = SpreadSearch(cascade, segmentation("off", 24))
    found = search.find(frame_from_bgr(np.full((480, 640, 3), 120, np.uint8)), ())
    assert len(cascade.looked_at) == LOOKS
    assert found.left_out > 100
    assert cascade.looked_at[0] == max(cascade.looked_at)
