import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.device.tracking.smoothing import LEAD_AT_ONCE, LEAD_S, SMOOTHING_S, express, smooth

PROBABILITIES = st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(
    lambda v: (np.array(v) / sum(v)).astype(np.float32)
)


def scores(*values):
    return np.array(values, np.float32)


@settings(max_examples=60, deadline=None)
@given(PROBABILITIES, PROBABILITIES, st.floats(-1, 5))
def test_smoothed_scores_lie_between_and_remain_probabilities(old, new, elapsed):
    mixed = smooth(old, new, elapsed)
    assert mixed.sum() == pytest.approx(1, abs=1e-5)
    assert (mixed >= np.minimum(old, new) - 1e-6).all()
    assert (mixed <= np.maximum(old, new) + 1e-6).all()


def test_smoothing_depends_on_time_and_not_on_the_number_of_pictures():
    old, new = scores(1, 0), scores(0, 1)
    in_steps = old
    for _ in range(10):
        in_steps = smooth(in_steps, new, 0.03)
    np.testing.assert_allclose(in_steps, smooth(old, new, 0.3), atol=1e-5)
    assert smooth(old, new, SMOOTHING_S)[1] == pytest.approx(1 - np.exp(-1), abs=1e-5)


def test_the_first_label_is_the_best():
    assert express(None, scores(0.2, 0.5, 0.3), 3.0).label == 1


def shown(sequence, rate):
    """Labels over time, and when they changed."""
    state, labels = None, []
    for i, row in enumerate(sequence):
        state = express(state, row, i / rate)
        labels.append(state.label)
    return labels


def test_a_label_does_not_flicker_between_two_that_are_close():
    flickering = [scores(0.52, 0.48) if i // 3 % 2 else scores(0.48, 0.52) for i in range(90)]
    assert len({int(row.argmax()) for row in flickering}) == 2
    assert len(set(shown(flickering, 30)[30:])) == 1


@pytest.mark.parametrize("rate", [5, 10, 30, 60])
def test_a_clear_change_shows_at_the_same_moment_at_every_rate(rate):
    film = [scores(0.95, 0.05)] * rate + [scores(0.05, 0.95)] * rate
    changed = shown(film, rate).index(1) / rate
    assert 1.0 < changed <= 1.0 + max(SMOOTHING_S, 1 / rate) + 1 / rate


@pytest.mark.parametrize("rate", [10, 30])
def test_a_small_lead_shows_after_a_while(rate):
    lead = LEAD_AT_ONCE / 3
    film = [scores(0.5 + lead, 0.5 - lead)] * rate + [scores(0.5 - lead / 2, 0.5 + lead / 2)] * (4 * rate)
    changed = shown(film, rate).index(1) / rate - 1.0
    assert LEAD_S < changed < LEAD_S + 0.6


def test_the_score_may_be_another_ones_for_a_moment():
    state = express(None, scores(0.9, 0.1), 0.0)
    state = express(state, scores(0.0, 1.0), 0.66 * SMOOTHING_S)
    assert state.leader == 1
    assert state.label == 0
