"""Labels of faces lie inside the frame, off all faces and off each other wherever there is room."""

import time

from hypothesis import given
from hypothesis import strategies as st

from fer_edge.device.faces import intersection
from fer_edge.device.outputs.drawing.placement import place_labels, touches
from fer_edge.preprocess import Box


def covered(faces, labels):
    """Return the area of labels on faces, and of labels on labels."""
    on_faces = sum(intersection(label, face) for label in labels for face in faces)
    return on_faces, sum(intersection(a, b) for i, a in enumerate(labels) for b in labels[:i])


def test_a_label_stands_above_its_box_and_begins_where_it_does():
    assert place_labels([Box(200, 100, 80, 80)], [(120, 20)], (640, 480)) == [Box(200, 78, 120, 20)]


def test_at_the_upper_edge_it_stands_below():
    (place,) = place_labels([Box(200, 0, 80, 80)], [(120, 20)], (640, 480))
    assert place == Box(200, 82, 120, 20)


def test_two_in_a_row_do_not_share_a_place():
    faces = [Box(100, 100, 60, 60), Box(180, 100, 60, 60)]
    places = place_labels(faces, [(120, 20)] * 2, (640, 480))
    assert covered(faces, places) == (0, 0)


def test_a_class_photo_can_be_read():
    """Three rows of ten people, who stand closer than their labels are wide."""
    faces = [
        Box(30 + 90 * column + 40 * (row % 2), 150 + 110 * row, 60, 60) for row in range(3) for column in range(10)
    ]
    places = place_labels(faces, [(100, 16)] * len(faces), (1000, 600))
    on_faces, on_labels = covered(faces, places)
    area = sum(place.w * place.h for place in places)
    assert on_faces == 0
    assert on_labels < 0.02 * area
    one_above_each = [Box(face.x, face.y - 18, 100, 16) for face in faces]
    assert on_labels < 0.2 * covered(faces, one_above_each)[1]


def test_a_label_that_had_to_go_far_needs_a_line():
    face = Box(100, 100, 60, 60)
    assert touches(face, Box(100, 78, 120, 20))
    assert not touches(face, Box(100, 50, 120, 20))


boxes = st.builds(Box, st.integers(-50, 700), st.integers(-50, 500), st.integers(1, 300), st.integers(1, 300))


@given(st.lists(st.tuples(boxes, st.integers(1, 200), st.integers(1, 60)), max_size=12))
def test_every_label_that_fits_lies_inside(drawn):
    places = place_labels([box for box, _, _ in drawn], [(w, h) for _, w, h in drawn], (640, 480))
    assert [(place.w, place.h) for place in places] == [(w, h) for _, w, h in drawn]
    assert all(
        place.x >= 0 and place.y >= 0 and place.x + place.w <= 640 and place.y + place.h <= 480 for place in places
    )


def test_a_crowd_is_labelled_at_once():
    faces = [Box(30 * (at % 40), 30 * (at // 40), 25, 25) for at in range(1000)]
    begun = time.process_time()
    places = place_labels(faces, [(100, 16)] * len(faces), (1200, 800))
    assert time.process_time() - begun < 1
    assert all(touches(face, place) for face, place in zip(faces, places, strict=True))
