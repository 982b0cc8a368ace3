import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.device.drawing import BOX, draw_faces
from tests.device.making import face


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
