import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.device.faces import Detection
from fer_edge.device.tracking.tracker import (
    MATCHED_MAX_S,
    MAX_AGE_S,
    MOST_TRACKS,
    SAME_FACE,
    SURE_SCORE,
    UNVERIFIED_MAX_S,
    Track,
    Tracker,
    associate,
    predict,
)
from fer_edge.preprocess import Box

BOXES = st.builds(Box, st.integers(0, 60), st.integers(0, 60), st.integers(10, 40), st.integers(10, 40))


def sure(x, y=0):
    return Detection(Box(x, y, 40, 40), SURE_SCORE)


def doubtful(x):
    return Detection(Box(x, 0, 40, 40), 0.7)


def test_a_face_keeps_its_number_while_it_moves():
    tracker = Tracker()
    numbers = [tracker.update([sure(4 * i)], i / 10)[0].id for i in range(20)]
    assert set(numbers) == {1}


def test_two_faces_keep_theirs_whatever_the_order():
    tracker = Tracker()
    tracker.update([sure(0), sure(100)], 0.0)
    tracks = tracker.update([sure(98), sure(3)], 0.1)
    assert [(t.id, t.box.x) for t in tracks] == [(2, 98), (1, 3)]


def test_a_doubtful_face_must_stay():
    tracker = Tracker()
    assert [len(tracker.update([doubtful(0)], i / 10)) for i in range(6)] == [0, 1, 1, 1, 1, 1]


def test_a_flickering_face_is_never_confirmed():
    tracker = Tracker()
    for i in range(20):
        assert tracker.update([doubtful(0)] if i % 2 else [], i / 10) == []


def test_a_confirmed_face_may_become_doubtful():
    tracker = Tracker()
    tracker.update([sure(0)], 0.0)
    assert tracker.update([doubtful(2)], 0.1)[0].id == 1


def test_a_face_that_comes_back_soon_is_the_same():
    tracker = Tracker()
    tracker.update([sure(0)], 0.0)
    assert tracker.update([], MAX_AGE_S / 2) == []
    assert tracker.update([sure(5)], MAX_AGE_S)[0].id == 1


def test_a_face_that_comes_back_late_is_another():
    tracker = Tracker()
    tracker.update([sure(0)], 0.0)
    tracker.update([], 0.1)
    assert tracker.update([sure(0)], MAX_AGE_S + 0.01)[0].id == 2


def test_unrelated_images_share_no_faces():
    tracker = Tracker(min_hits=1, max_age_s=0)
    assert [tracker.update([doubtful(0)], float(i))[0].id for i in range(3)] == [1, 2, 3]


def test_numbers_are_given_without_gaps():
    tracker = Tracker()
    tracker.update([doubtful(500)], 0.0)
    assert [t.id for t in tracker.update([sure(0), sure(100)], 0.1)] == [1, 2]


@settings(max_examples=100, deadline=None)
@given(st.lists(BOXES, max_size=6), st.lists(BOXES, max_size=6))
def test_association_joins_each_at_most_once(old, new):
    tracks = [Track(1, box, 1, 0.0) for box in old]
    joined = associate(tracks, [Detection(box, 0.8) for box in new])
    assert len(set(joined.values())) == len(joined)
    assert set(joined) <= set(range(len(new)))
    assert set(joined.values()) <= set(range(len(old)))


def test_association_prefers_the_greater_overlap():
    tracks = [Track(1, Box(0, 0, 40, 40), 1, 0.0), Track(2, Box(10, 0, 40, 40), 1, 0.0)]
    assert associate(tracks, [Detection(Box(9, 0, 40, 40), 0.8)]) == {0: 1}
    assert associate(tracks[:1], [Detection(Box(39, 0, 40, 40), 0.8)]) == {}
    assert 0 < SAME_FACE < 1


def test_quality_is_smoothed_like_scores():
    tracker, clear, poor = Tracker(), np.ones(5, np.float32), np.zeros(5, np.float32)
    for at, levels, low, high in ((0.0, clear, 1, 1), (0.1, poor, 0.7, 0.9), (0.9, poor, 0, 0.3)):
        (track,) = tracker.update([sure(0)], at)
        found = tracker.add_levels(track, levels)
        tracker.add_scores(track, np.array([1, 0], np.float32))
        assert low <= found.min() <= found.max() <= high


def test_scores_are_smoothed_per_face():
    tracker, first, second = Tracker(), np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    for track in tracker.update([sure(0), sure(100)], 0.0):
        np.testing.assert_array_equal(tracker.add_scores(track, first).scores, first)
    left, right = tracker.update([sure(0), sure(100)], 0.1)
    assert 0 < tracker.add_scores(left, second).scores[1] < 1
    np.testing.assert_array_equal(tracker.add_scores(right, first).scores, first)
    (left,) = tracker.update([sure(0)], 0.9)
    assert tracker.add_scores(left, second).scores[1] > 0.8


def test_a_face_is_expected_where_it_moves_to():
    tracker = Tracker()
    for i in range(10):
        tracker.update([sure(10 * i)], i / 10)
    (track,) = tracker.tracks
    assert track.velocity == pytest.approx((100, 0), rel=0.05)
    assert abs(predict(track, 1.0).x - 100) <= 2
    assert predict(track, 99.0).x < 120  # nobody knows for how long it goes on


def test_a_fast_face_keeps_its_number_where_its_boxes_do_not_overlap():
    tracker = Tracker()
    places = [0, 15, 32, 52, 75, 101, 129, 158, 188, 218, 248]
    numbers = [[t.id for t in tracker.update([sure(x)], i / 30)] for i, x in enumerate(places)]
    assert numbers == [[1]] * len(places)


def followed(x):
    return Detection(Box(x, 0, 40, 40), 0.0, verified=False)


def test_a_face_that_is_only_followed_is_reported_for_a_short_time():
    tracker = Tracker()
    tracker.update([sure(0)], 0.0)
    assert [t.id for t in tracker.update([followed(2)], MATCHED_MAX_S)] == [1]
    assert tracker.update([followed(4)], MATCHED_MAX_S + 0.1) == []
    assert [t.id for t in tracker.update([sure(4)], MAX_AGE_S)] == [1]


def test_nothing_begins_with_following():
    assert Tracker(min_hits=1).update([followed(0)], 0.0) == []


def test_a_face_that_is_not_verified_is_given_up():
    tracker = Tracker()
    tracker.update([sure(0)], 0.0)
    glimpse = Detection(Box(0, 0, 40, 40), 0.6, verified=False)
    times = [0.5 * step for step in range(1, 8)]
    reported = [bool(tracker.update([glimpse], time)) for time in times]
    assert reported == [time <= UNVERIFIED_MAX_S for time in times]


@pytest.mark.parametrize("rate", [5, 30])
def test_a_track_is_confirmed_without_a_fast_camera(rate):
    tracker = Tracker()
    for i in range(5):
        reported = tracker.update([doubtful(0)], i / rate)
    assert [t.id for t in reported] == [1]


def test_a_doubtful_face_may_miss_a_frame_of_a_fast_camera():
    tracker = Tracker()
    for i in (0, 2, 3):
        reported = tracker.update([doubtful(0)], i / 30)
    assert [t.id for t in reported] == [1]


def test_numbers_are_not_given_again_after_a_reset():
    tracker = Tracker()
    tracker.update([sure(0)], 0.0)
    tracker.reset()
    assert [t.id for t in tracker.update([sure(0)], 0.1)] == [2]


def test_landmarks_are_those_of_the_last_detection():
    tracker = Tracker()
    marks = ((1.0, 1.0),) * 5
    (track,) = tracker.update([Detection(Box(0, 0, 40, 40), 0.9, marks)], 0.0)
    assert track.landmarks == marks
    (track,) = tracker.update([followed(0)], 0.1)
    assert track.landmarks is None


def crowd(count, shift=0):
    return [Detection(Box(50 * (n % 40) + shift, 50 * (n // 40), 40, 40), SURE_SCORE) for n in range(count)]


def test_a_crowd_is_joined_quickly():
    tracks = [Track(1 + number, found.box, 1, 0.0) for number, found in enumerate(crowd(1000))]
    start = time.process_time()
    joined = associate(tracks, crowd(1000, 5))
    assert time.process_time() - start < 1.0
    assert joined == {number: number for number in range(1000)}


def test_faces_that_come_and_go_are_not_all_kept():
    """Else each would be looked for in every frame of the next second."""
    tracker = Tracker()
    for index in range(20):
        tracker.update(crowd(100, 5000 * index), index / 25)
    assert len(tracker.tracks) == MOST_TRACKS
    assert [track.box.x // 5000 for track in tracker.tracks] == 100 * [19] + 100 * [18]
