"""A face's own neutral: learned at rest, and then left out of what it shows."""

import numpy as np
import pytest

from fer_edge.device.faces import Detection
from fer_edge.device.tracking.baseline import NEUTRAL_AT_REST, Baseline, deviation
from fer_edge.device.tracking.tracker import Tracker
from fer_edge.errors import ConfigError
from fer_edge.labels import EXPRESSIONS
from fer_edge.preprocess import Box

ANGRY, HAPPY, NEUTRAL = (EXPRESSIONS.index(name) for name in ("angry", "happy", "neutral"))


def scores(**shares):
    row = np.array([shares.get(name, 0) for name in EXPRESSIONS], np.float32)
    return row + (1 - row.sum()) / len(row)


STERN = scores(angry=0.5, neutral=0.3)
"""At rest."""


def learned(rows, seconds=2.0, rate=10):
    baseline, rest = Baseline(seconds, EXPRESSIONS), None
    for number, row in enumerate(rows):
        rest = baseline.observe(rest, row, number / rate)
    return rest


def test_a_stern_face_rests_neutral_and_its_expressions_stay():
    rest = learned([STERN] * 25)
    shown = deviation(STERN, rest)
    assert shown.argmax() == NEUTRAL
    assert shown.sum() == pytest.approx(1)
    assert deviation(scores(happy=0.7, angry=0.1), rest).argmax() == HAPPY
    assert deviation(scores(angry=0.97), rest).argmax() == ANGRY


def test_a_face_that_rests_neutral_is_left_as_it_is():
    rest = learned([scores(neutral=NEUTRAL_AT_REST + 0.2)] * 25)
    for row in np.eye(7, dtype=np.float32) * 0.8 + 0.2 / 7:
        assert deviation(row, rest) == pytest.approx(row, abs=1e-6)


def test_scores_are_as_they_are_until_enough_was_seen():
    assert learned([STERN] * 20).weights is None
    assert (deviation(STERN, learned([STERN] * 20)) == STERN).all()
    assert learned([STERN] * 22).weights is not None


def test_laughing_and_surprise_are_no_rest():
    assert learned([scores(happy=0.9)] * 200).weights is None
    assert learned([scores(happy=0.9)] * 30 + [STERN] * 30).mean == pytest.approx(STERN)


def test_what_is_learned_stays():
    baseline = Baseline(0.5, EXPRESSIONS)
    rest = learned([STERN] * 25, seconds=0.5)
    assert baseline.observe(rest, scores(sad=0.9), 60.0) is rest


def test_an_absence_is_no_rest_of_the_same_length():
    baseline = Baseline(5, EXPRESSIONS)
    rest = baseline.observe(baseline.observe(None, STERN, 0.0), STERN, 100.0)
    assert rest.seconds == 0.5


def test_a_model_without_neutral_has_none():
    with pytest.raises(ConfigError, match="expected a model that knows neutral, found happy, sad"):
        Baseline(2, ("happy", "sad"))


def test_each_track_learns_its_own():
    tracker = Tracker(baseline=Baseline(1, EXPRESSIONS))
    rows = STERN, scores(neutral=0.9)
    for number in range(60):
        tracks = tracker.update([Detection(Box(x, 0, 40, 40), 0.9) for x in (0, 100)], number / 10)
        shown = [tracker.add_scores(track, row) for track, row in zip(tracks, rows, strict=True)]
        if number == 5:
            assert [s.label for s in shown] == [ANGRY, NEUTRAL]
            assert not any(tracker.has_baseline(track) for track in tracks)
    assert [s.label for s in shown] == [NEUTRAL, NEUTRAL]
    assert all(tracker.has_baseline(track) for track in tracks)
