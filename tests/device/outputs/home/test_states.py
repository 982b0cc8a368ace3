"""What is told of people, and when: a change that lasts, once, and for each person a place."""

import dataclasses
import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from fer_edge.device.outputs.home.states import Held, States
from tests.device.making import face


def person(number, label, score=0.9):
    return dataclasses.replace(face(number=number), label=label, score=score)


class Told:
    """Feeds states and keeps what they tell."""

    def __init__(self, **settings):
        self.states, self.topics = States(**settings), {}

    def see(self, now, *faces, **more):
        new = self.states.update(faces, round(10 * now), now, **more)
        self.topics |= {name: json.loads(payload) for name, payload in new.items()}
        return sorted(new)

    @property
    def state(self):
        state = self.topics["state"]
        return state["label"], state["faces"]


def test_a_smile_counts_when_it_has_lasted_three_seconds():
    told = Told(hold_s=3.0)
    told.see(0.0, person(1, "neutral"))
    told.see(3.0, person(1, "neutral"))
    assert told.state == ("neutral", 1)
    for tenth in range(31, 60):
        assert told.see(tenth / 10, person(1, "happy")) == []
    assert told.see(6.2, person(1, "happy", 0.8)) == ["state"]
    assert told.state == ("happy", 1)
    assert told.topics["state"]["score"] == 0.8


def test_a_short_smile_is_never_told():
    told = Told(hold_s=3.0)
    for tenth in range(200):
        label = "happy" if tenth % 50 >= 40 else "neutral"
        told.see(tenth / 10, person(1, label))
    assert told.state == ("neutral", 1)


def test_expression_and_number_are_held_each_for_itself():
    """Somebody who comes and goes in the background does not hold up what the others show."""
    told = Told(hold_s=2.0)
    for tenth in range(40):
        others = [person(2, "happy")] if tenth % 10 < 5 else []
        told.see(tenth / 10, person(1, "happy"), *others)
    assert told.state == ("happy", 0)


def test_nobody_is_told_at_once_when_the_camera_is_away():
    told = Told(hold_s=60.0)
    told.see(0.0, person(1, "happy"))
    told.see(60.0, person(1, "happy"))
    assert told.state == ("happy", 1)
    told.see(61.0, at_once=True)
    assert told.state == (None, 0)


def test_the_first_state_is_told_at_once():
    told = Told(hold_s=60.0)
    assert told.see(0.0) == ["state"]
    assert told.state == (None, 0)


def test_people_keep_their_places():
    told = Told(people=2)
    assert told.see(0.0, person(1, "happy"), person(2, "sad")) == ["person/1", "person/2", "state"]
    told.see(1.0, person(2, "sad"))
    assert told.topics["person/1"]["label"] is None
    assert told.topics["person/2"]["id"] == 2
    told.see(2.0, person(2, "sad"), person(3, "angry"), person(4, "fear"))
    assert [told.topics[f"person/{n}"]["id"] for n in (1, 2)] == [3, 2]
    assert told.state[1] == 3  # who finds no place is counted
    told.see(3.0)
    assert {told.topics[f"person/{n}"]["score"] for n in (1, 2)} == {None}


def test_a_place_outlasts_a_missed_frame():
    told = Told(people=1)
    told.see(0.0, person(1, "happy"))
    told.see(0.5, person(2, "sad"))
    assert told.topics["person/1"]["id"] is None
    told.see(0.9, person(1, "happy"), person(2, "sad"))
    assert told.topics["person/1"]["id"] == 1
    told.see(1.5, person(2, "sad"))
    told.see(2.0, person(2, "sad"))
    assert told.topics["person/1"]["id"] == 2


def test_pictures_with_people_of_their_own_keep_no_place():
    told = Told(people=1, keep_s=0.0)
    for number in range(1, 5):
        told.see(number / 100, person(number, "happy"))
        assert told.topics["person/1"]["id"] == number


def test_each_persons_change_is_held():
    told = Told(people=1, hold_s=1.0)
    for tenth in range(15):
        told.see(tenth / 10, person(1, "happy"))
    assert told.topics["person/1"]["label"] == "happy"
    assert told.see(1.5, person(1, "sad")) == []
    assert told.see(2.5, person(1, "sad")) == ["person/1", "state"]


def test_no_topic_is_told_twice_within_the_interval():
    told = Told(interval_s=0.5)
    times = [n / 100 for n in range(300) if told.see(n / 100, person(1, "happy" if n % 2 else "sad"))]
    assert 3 < len(times) <= 7
    assert all(later - before >= 0.5 for before, later in itertools.pairwise(times))


@given(st.lists(st.tuples(st.floats(0.01, 2), st.integers(0, 2)), max_size=40), st.floats(0, 3))
def test_what_holds_was_seen_for_as_long_as_asked(steps, hold_s):
    held, now, since, seen = Held(0, hold_s), 0.0, 0.0, 0
    for step, value in steps:
        now += step
        if value != seen:
            seen, since = value, now
        before = held.value
        after = held.follow(value, now)
        assert after in (before, value)
        if after != before:
            assert now - since >= hold_s
        if now - since >= hold_s:
            assert after == value
