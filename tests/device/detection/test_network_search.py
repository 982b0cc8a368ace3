"""Faces of a video by two networks, here stand-ins that see bright squares."""

import dataclasses

import numpy as np
import pytest

from fer_edge.device.detection.face import FaceNetworks
from fer_edge.device.detection.network_search import NetworkSearch
from fer_edge.device.detection.skin import NoSkin, Regions
from fer_edge.device.faces import FACES_IN_VIDEO
from fer_edge.device.frame import Frame
from fer_edge.device.tracking.tracker import Tracker
from fer_edge.faces.crop import Look
from fer_edge.faces.finder import FaceFinder
from fer_edge.faces.grid import CELLS, CHANNELS, LEVELS
from fer_edge.faces.photo import box_of, factors
from fer_edge.preprocess import Box

WIDTH, HEIGHT = 640, 480


class BrightSquares:
    """Proposes bright cells of the finest grid, and counts the pictures that it saw."""

    def __init__(self):
        self.seen = 0

    def __call__(self, frames):
        self.seen += len(frames)
        outputs = np.zeros((len(frames), len(CELLS), CHANNELS), np.float32)
        outputs[..., 0] = -9
        outputs[..., 3] = 0.45  # 25 pixels
        rows, columns = LEVELS[0].shape
        cells = frames.reshape(len(frames), rows, 8, columns, 8).mean((2, 4)).reshape(len(frames), -1)
        outputs[:, : rows * columns, 0] = np.where(cells > 80, 3, -9)
        return outputs.reshape(len(frames), -1)


def bright(crops):
    """Say where the bright part of a crop is; sure if there is one and it is not everything."""
    outputs = np.zeros((len(crops), 14), np.float32)
    for output, crop in zip(outputs, crops, strict=True):
        y, x = np.nonzero(crop > 128)
        share = len(x) / crop.size
        output[0] = 4 if 0.05 < share < 0.8 else -4
        if len(x):
            output[1:3] = x.mean() - 23.5, y.mean() - 23.5
            output[3] = 16 * np.log(np.sqrt(len(x)) * 1.5 / 48)
        output[4:] = np.array([[-5, -5], [5, -5], [0, 0], [-4, 5], [4, 5]], np.float32).ravel() / 2
    return outputs


def frame(squares, time):
    luma = np.zeros((HEIGHT, WIDTH), np.uint8)
    for x, y, side in squares:
        luma[y - side // 2 : y + side // 2, x - side // 2 : x + side // 2] = 255
    grey = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    return Frame(luma, grey, grey, time, round(time * 25), WIDTH, HEIGHT)


class Video:
    """Runs a search and a tracker over frames."""

    def __init__(self):
        self.proposer = BrightSquares()
        self.search = NetworkSearch(FaceFinder(self.proposer, bright), NoSkin())
        self.tracker = Tracker()
        self.time = 0.0

    def next(self, *squares, seconds=0.04):
        found = self.search.find(frame(squares, self.time), self.tracker.tracks)
        self.time += seconds
        return found, self.tracker.update(found.detections, self.time - seconds)


def test_a_face_is_found_at_once_with_landmarks():
    found, (track,) = Video().next((300, 200, 100))
    (detection,) = found.detections
    assert track.box == detection.box
    assert detection.box.x + detection.box.w / 2 == pytest.approx(300, abs=5)
    assert detection.box.w == pytest.approx(106, rel=0.12)
    assert len(detection.landmarks) == 5
    assert detection.score > 0.9
    assert found.searched > 1


def test_a_known_face_is_followed_in_every_frame_for_little():
    video = Video()
    video.next((200, 200, 100))
    seen = video.proposer.seen
    numbers = set()
    for step in range(25):
        _, (track,) = video.next((200 + 6 * step, 200, 100))
        numbers.add(track.id)
        assert track.box.x + track.box.w / 2 == pytest.approx(200 + 6 * step, abs=8)
    assert numbers == {1}
    # Each second two or three looks at the whole frame, and some tiles: most of the frame is as it was.
    assert video.proposer.seen - seen < 40


def test_a_face_that_comes_is_found_within_half_a_second():
    video = Video()
    video.next()
    counts = [len(video.next((400, 240, 90))[0].detections) for _ in range(12)]
    assert counts[-1] == 1


def test_a_small_face_that_comes_is_found_within_the_seconds_of_what_moved():
    video = Video()
    video.next()
    counts = [len(video.next((500, 100, 24))[0].detections) for _ in range(60)]
    assert 1 in counts


def test_what_moves_at_a_known_face_causes_no_search():
    video = Video()
    for step in range(20):
        video.next((300 + 2 * step, 200, 100))
    calm = video.proposer.seen
    for step in range(25):
        video.next((340 + 2 * step, 200, 100))
    near = video.proposer.seen - calm
    for step in range(25):
        video.next((390, 200, 100), (80 + 2 * step, 420, 14))  # too small to be a face here, and it moves
    assert video.proposer.seen - calm - near > 1.5 * near


def test_more_known_faces_are_worth_a_faster_search():
    def seen(*squares):
        video = Video()
        for _ in range(50):
            video.next(*squares)
        return video.proposer.seen

    assert seen((120, 120, 80), (320, 120, 80), (520, 120, 80)) > 1.4 * seen((120, 120, 80))


def test_a_face_that_goes_is_reported_no_more():
    video = Video()
    video.next((300, 200, 100))
    found, tracks = video.next()
    assert found.detections == []
    assert tracks == []


def test_a_lost_face_is_sought_at_once_in_the_whole_frame():
    video = Video()
    video.next((150, 200, 100))
    video.next((150, 200, 100))
    found, _ = video.next((480, 300, 100))
    assert len(found.detections) == 1


def test_a_face_that_turns_away_for_a_moment_is_kept_and_one_that_never_returns_is_not():
    clear = [True]

    def turning(crops):
        outputs = bright(crops)
        if not clear[0]:
            outputs[:, 0] = np.minimum(outputs[:, 0], -1.2)  # a score of 0.23
        return outputs

    video = Video()
    video.search = NetworkSearch(FaceFinder(video.proposer, turning), NoSkin())
    video.next((300, 200, 100))
    clear[0] = False
    counts = [len(video.next((300, 200, 100))[0].detections) for _ in range(50)]
    assert counts[:24] == [1] * 24
    assert counts[-10:] == [0] * 10


def test_a_weak_look_is_followed_by_one_where_the_face_has_moved():
    def sure_in_the_middle(crops):
        outputs = bright(crops)
        outputs[np.abs(outputs[:, 1:3]).max(1) > 6, 0] = -3
        return outputs

    video = Video()
    video.search = NetworkSearch(FaceFinder(video.proposer, sure_in_the_middle), NoSkin())
    video.next((300, 200, 100))
    seen = video.proposer.seen
    _, (track,) = video.next((330, 200, 100))
    assert track.box.x + track.box.w / 2 == pytest.approx(330, abs=12)
    assert video.proposer.seen == seen


def test_two_faces_keep_their_numbers():
    video = Video()
    for step in range(20):
        _, tracks = video.next((150 + 4 * step, 120, 80), (500 - 4 * step, 350, 80))
    assert sorted(track.id for track in tracks) == [1, 2]


def test_a_still_face_stays_though_the_refiner_jitters():
    rng = np.random.default_rng(0)

    def shaky(crops):
        outputs = bright(crops)
        outputs[:, 1:3] += rng.normal(0, 0.5, (len(crops), 2))
        return outputs

    video = Video()
    video.search = NetworkSearch(FaceFinder(video.proposer, shaky), NoSkin())
    centres = np.array([[t.box.x + t.box.w / 2 for t in video.next((300, 200, 100))[1]] for _ in range(60)])
    assert np.abs(np.diff(centres[5:, 0])).mean() < 0.6  # 0.5 pixels of the crop are 1.6 of the frame


def test_a_large_video_is_searched_at_the_usual_scales():
    luma = np.zeros((2160, 3840), np.uint8)
    grey = np.full((1080, 1920), 128, np.uint8)
    search = NetworkSearch(FaceFinder(BrightSquares(), bright), NoSkin())
    for step in range(3):
        search.find(Frame(luma, grey, grey, step / 25, step, 3840, 2160), ())


def test_reset_forgets_everything():
    video = Video()
    video.next((300, 200, 100))
    video.search.reset()
    found, _ = video.next((300, 200, 100))
    assert found.searched > 1


def test_one_image_and_its_scales():
    detector = FaceNetworks(FaceFinder(BrightSquares(), bright))
    (found,) = detector.detect(frame([(300, 200, 100)], 0.0), Regions((), "photo"))
    assert found.box.w == pytest.approx(106, rel=0.12)
    assert factors(2300, 1700) == (1, 2, 4, 8)
    assert factors(1920, 1080) == (1, 2, 4)
    assert factors(640, 480) == (1, 2, 4)
    assert factors(320, 240) == (1, 2)
    assert factors(160, 120) == (1,)
    assert factors(40, 30) == (1,)


def test_a_box_is_cut_to_the_frame():
    detector = FaceNetworks(FaceFinder(BrightSquares(), bright))
    luma = frame([(30, 240, 100)], 0.0)
    for found in detector.detect(dataclasses.replace(luma), Regions((), "photo")):
        assert found.box.x >= 0


def test_the_box_of_a_look_has_its_centre():
    box = box_of(Look(100, 100, 50))
    assert isinstance(box, Box)
    assert abs(box.x + box.w / 2 - 100) <= 1


def test_a_crowd_is_bounded_and_counted():
    """A frame that looks like faces everywhere: each new place is looked at three times, so only so many are."""
    looked = []

    def refiner(crops):
        looked.append(len(crops))
        return bright(crops)

    squares = [(x, y, 12) for y in range(20, 460, 24) for x in range(20, 620, 24)]
    search = NetworkSearch(FaceFinder(BrightSquares(), refiner), NoSkin())
    found = search.find(frame(squares, 0.0), ())
    assert max(looked) <= FACES_IN_VIDEO
    assert found.left_out > 0
