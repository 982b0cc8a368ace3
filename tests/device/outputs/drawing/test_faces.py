import dataclasses
import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.device.outputs.drawing import draw_faces
from fer_edge.device.outputs.drawing.faces import colour_of
from fer_edge.device.results import label_of
from fer_edge.labels import ON_DARK
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
    before = np.full((480, 640, 3), 90, np.uint8)
    picture = draw_faces(before.copy(), [face(box)])
    x, y, w, h = box
    assert tuple(picture[y + h // 2, x]) == colour_of("happy")
    drawn = (picture != before).any(axis=2)
    assert drawn.sum() > 2 * (w + h) + 1000  # and the label
    outside = drawn.copy()
    outside[y : y + h, x : x + w] = False
    if box != (0, 0, 640, 480):
        assert outside.sum() > 1000


def contrast(a, b):
    """WCAG 2.2's contrast ratio of two colours in BGR order."""

    def luminance(colour):
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.array(colour)[::-1] / 255]
        return np.dot(linear, (0.2126, 0.7152, 0.0722))

    lighter, darker = sorted((luminance(a), luminance(b)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


GROUNDS = [(0, 0, 0), (255, 255, 255), (128, 128, 128), *map(colour_of, ON_DARK)]


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("label", ON_DARK)
def test_boxes_and_letters_are_seen_on_any_ground(ground, label):
    """Also on the very colour of the box: the line has a dark edge, the letters a dark ground."""
    one = dataclasses.replace(face((200, 200, 100, 100)), label=label, scores=dict.fromkeys(ON_DARK, 0.1))
    picture = draw_faces(np.full((480, 640, 3), ground, np.uint8), [one])
    across = picture[250, 190:210]
    assert max(contrast(colour, ground) for colour in across) > 3
    letters = picture[180:196, 210:300].reshape(-1, 3)
    brightest = letters[letters.sum(axis=1).argmax()]
    assert contrast(brightest, np.median(letters, axis=0)) > 4.5


def test_an_uncertain_face_looks_uncertain():
    sure, unsure = (face((200, 200, 100, 100), happy=0.75), face((200, 200, 100, 100), happy=0.75))
    unsure = dataclasses.replace(unsure, uncertain=True)
    pictures = [draw_faces(np.zeros((480, 640, 3), np.uint8), [one]) for one in (sure, unsure)]
    lines = [(picture[200:300, 200] == colour_of("happy")).all(axis=1) for picture in pictures]
    assert lines[0].all()
    assert 0.3 < lines[1].mean() < 0.8  # dashes
    labels = [picture[150:199, 205:400].max() for picture in pictures]
    assert labels[1] < labels[0]
    assert label_of(sure) == "happy 0.75"
    assert label_of(unsure) == "happy? 0.75"


def test_the_number_is_shown_where_it_means_something():
    pictures = [
        draw_faces(np.zeros((480, 640, 3), np.uint8), [face((200, 200, 100, 100), number=number)], numbers=shown)
        for number, shown in ((1, False), (2, False), (1, True), (2, True))
    ]
    assert (pictures[0] == pictures[1]).all()
    assert not (pictures[2] == pictures[3]).all()
    assert not (pictures[0] == pictures[2]).all()


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_what_is_drawn_grows_with_the_picture(factor):
    shape = (480 * factor, 640 * factor, 3)
    box = tuple(factor * value for value in (200, 200, 100, 100))
    label = (draw_faces(np.full(shape, 90, np.uint8), [face(box)]) != 90).any(axis=2)[: box[1] - 3 * factor]
    rows = label.any(axis=1).sum()
    assert 22 * factor <= rows <= 30 * factor


def test_small_faces_have_smaller_labels():
    rows = []
    for side in (40, 100, 200):
        picture = draw_faces(np.full((480, 640, 3), 90, np.uint8), [face((200, 210, side, side))])
        rows.append((picture != 90).any(axis=2)[:205].any(axis=1).sum())
    assert rows[0] < rows[1] == rows[2]


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
