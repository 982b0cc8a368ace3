import dataclasses
import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.device.drawing import BOX, draw_faces
from fer_edge.text import fonts
from tests.device.making import face
from tests.edge.text.test_fonts import make_font


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 60), st.integers(0, 60), st.integers(1, 99))
def test_drawing_works_on_any_picture(width, height, x, y, side):
    picture = np.zeros((height, width, 3), np.uint8)
    assert draw_faces(picture, [face((x, y, side, side))]) is picture


@pytest.mark.parametrize(
    "box", [(200, 100, 80, 80), (0, 0, 80, 80), (560, 0, 80, 80), (560, 400, 80, 80), (0, 0, 640, 480)]
)
def test_box_and_label_are_drawn_inside(box):
    picture = draw_faces(np.zeros((480, 640, 3), np.uint8), [face(box)])
    x, y, w, h = box
    assert tuple(picture[y + h // 2, x]) == BOX
    drawn = (picture == BOX).all(axis=2)
    assert drawn.sum() > 2 * (w + h) + 1000  # and the label's ground
    outside = drawn.copy()
    outside[y : y + h, x : x + w] = False
    if box != (0, 0, 640, 480):
        assert outside.sum() > 1000


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Draw a label with fonts that have only these letters; return the image of its ground."""
    monkeypatch.setattr(fonts, "FOLDERS", (str(tmp_path / "fonts"),))
    monkeypatch.setattr(fonts.importlib.util, "find_spec", lambda name: None)

    def draw(label, letters=""):
        for cache in (fonts._installed, fonts._font_with, fonts.stand_in):
            cache.cache_clear()
        if letters:
            make_font(tmp_path / "fonts" / "f.ttf", letters)
        one = dataclasses.replace(face((200, 200, 100, 100)), label=label, score=0.5, scores={"x": 0.2, label: 0.5})
        return draw_faces(np.zeros((480, 640, 3), np.uint8), [one])[150:200, 190:400]

    yield draw
    for cache in (fonts._installed, fonts._font_with, fonts.stand_in):
        cache.cache_clear()


@pytest.mark.parametrize("label", ["生气", "злой", "wütend", "غضب"])
def test_labels_in_other_scripts_are_drawn_in_a_font_that_has_them(drawn, label):
    pytest.importorskip("PIL.ImageFont")
    letters = "".join(map(chr, range(32, 127))) + label
    picture = drawn(label, letters)
    assert not (picture == drawn("class 2")).all()
    assert not (picture == drawn("?" * len(label))).all()
    other = drawn(label[::-1] if label != label[::-1] else label[0])
    assert not (picture == other).all()


@pytest.mark.parametrize("label", ["生气", "злой", "wütend", "a\u0301ngry"])
def test_no_label_is_drawn_as_question_marks(drawn, label, caplog):
    with caplog.at_level(logging.WARNING):
        picture = drawn(label)
    assert (picture == drawn("class 2")).all()
    assert "cannot be drawn and is shown as 'class 2'" in caplog.text


def test_a_label_wider_than_the_picture_is_cut_off(drawn, tmp_path):
    pytest.importorskip("PIL.ImageFont")
    make_font(tmp_path / "fonts" / "f.ttf", "ж .0123456789")
    drawn("x")
    long = dataclasses.replace(face((2, 2, 10, 10)), label="ж" * 80, scores={"ж" * 80: 0.5})
    for shape in ((12, 20, 3), (480, 60, 3), (1, 1, 3)):
        picture = np.zeros(shape, np.uint8)
        assert draw_faces(picture, [long]) is picture
