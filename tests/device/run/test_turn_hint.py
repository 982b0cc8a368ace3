"""A camera that hangs wrong is noticed, and the line names the option that makes it right."""

import dataclasses
import logging

import numpy as np
import pytest

from fer_edge.device.detection.choice import DetectorChoice
from fer_edge.device.frame import frame_from_bgr
from fer_edge.device.run import RunConfig, run
from fer_edge.device.run.turn_hint import WINDOW_S, TurnHint, turn_upright
from fer_edge.device.sources.demo import DemoSource
from fer_edge.device.sources.mounting import Mounting
from tests.device.making import face, result


class Film(DemoSource):
    """The demo film at two frames a second, as a camera delivers it that hangs turned by `turn`."""

    def __init__(self, turn, seconds):
        super().__init__((320, 240))
        self._mounting, self._seconds = Mounting(rotate=turn), seconds

    def __iter__(self):
        for index in range(2 * self._seconds):
            time = index / 2
            yield dataclasses.replace(
                self._mounting.applied(frame_from_bgr(self.picture(time))), time=time, index=index
            )


def said(source, caplog, **options):
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        labels = [[face.label for face in result.faces] for result in run(source, RunConfig(**options))]
    return [record.getMessage() for record in caplog.records], labels


@pytest.mark.parametrize(("turn", "detector"), [(180, "haar"), (90, "haar"), (180, "face")])
def test_an_upside_down_camera_to_a_right_label(turn, detector, caplog):
    lines, labels = said(Film(turn, 16), caplog, detector=detector)
    assert len(lines) == 1
    option = lines[0].rpartition("--rotate ")[2]
    assert lines[0].endswith(f"if the camera hangs like that, use --rotate {360 - turn}")
    lines, labels = said(Film(turn, 16), caplog, detector=detector, rotate=int(option))
    assert lines == []
    assert sum(found == ["happy"] for found in labels) > len(labels) / 2


@pytest.mark.parametrize("flip", [False, True])
def test_what_is_named_takes_the_place_of_what_was_given(flip, caplog):
    source = Film(0, 20)
    lines, _ = said(source, caplog, rotate=90, flip=flip)
    option = int(lines[0].rpartition("--rotate ")[2])
    lines, labels = said(Film(0, 20), caplog, rotate=option, flip=flip)
    assert lines == []
    assert any(labels)


def test_a_camera_that_hangs_right_hears_nothing(caplog):
    assert said(Film(0, 30), caplog)[0] == []


def test_an_empty_room_is_looked_at_ever_less_often(monkeypatch, caplog):
    hint, looks = TurnHint("desk", Mounting(), DetectorChoice()), []
    monkeypatch.setattr(hint, "_shows_face", lambda frame: looks.append(frame) or False)
    counts = []
    for number in range(2 * 1500):
        hint.watch(result(number, time=number / 2, faces=()))
        counts.append(len(looks))
    assert counts[int(2 * WINDOW_S) - 1] == 0
    assert counts[40] == 6
    assert counts[-1] <= 48
    assert not caplog.records


def test_one_false_face_is_not_enough(monkeypatch, caplog):
    hint, answers = TurnHint("desk", Mounting(), DetectorChoice()), iter([True] + [False] * 1000)
    monkeypatch.setattr(hint, "_shows_face", lambda frame: next(answers))
    for number in range(200):
        hint.watch(result(number, time=number / 2, faces=()))
    assert not caplog.records


POINTS = np.array([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]], float)


@pytest.mark.parametrize("lean", [0, 30, 90, 180, 270])
def test_landmarks_tell_how_a_face_leans(lean):
    angle = np.radians(lean)
    turned = (POINTS - 50) @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + 50
    points = tuple(map(tuple, turned))
    assert turn_upright(points) == (0 if lean == 30 else -lean % 360)
    assert turn_upright(None) == 0


def test_people_who_lie_are_no_camera_that_hangs(caplog):
    """Some lean and some do not: the camera hangs right."""
    hint = TurnHint("desk", Mounting(), DetectorChoice())
    lying = dataclasses.replace(face(), landmarks=tuple((y, x) for x, y in POINTS))
    upright = dataclasses.replace(face(number=2), landmarks=tuple(map(tuple, POINTS)))
    for number in range(100):
        hint.watch(result(number, time=number / 2, faces=(lying, upright) if number % 2 else (lying,)))
    assert not caplog.records
