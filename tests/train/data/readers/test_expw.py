"""ExpW: faces cut out by their boxes, photos whole on one side, and label files that do not fit."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS
from fer_edge.train.data.load import load_dataset
from tests.train.data.trees import put

FACES = 2


@pytest.fixture
def expw(tmp_path):
    """Twenty photos of two grey squares each, whose brightness says which face of which photo it is."""
    lines = []
    for photo in range(20):
        picture = np.zeros((120, 200, 3), np.uint8)
        for face in range(FACES):
            top, left = 10 + photo, 5 + 100 * face
            picture[top : top + 60, left : left + 60] = 10 * photo + face + 1
            lines.append(f"a photo {photo}.png {face} {top} {left} {left + 60} {top + 60} 31.4 {(photo + face) % 7}")
        put(tmp_path, f"ExpW/image/origin/a photo {photo}.png", picture)
    path = tmp_path / "ExpW/label/label.lst"
    path.parent.mkdir()
    path.write_text("\n".join(lines) + "\n")
    return tmp_path / "ExpW"


def test_faces_are_cut_out_and_photos_stay_whole(expw):
    dataset = load_dataset(str(expw))
    assert dataset.labels == EXPRESSIONS
    assert {name: len(split) for name, split in dataset.splits.items()} == {
        "Training": 32, "PublicTest": 4, "PrivateTest": 4,
    }  # fmt: skip
    photos = []
    for split in dataset.splits.values():
        photo, face = np.divmod(split.rows, FACES)
        assert (split.images == (10 * photo + face + 1)[:, None, None]).all()
        assert (split.labels == (photo + face) % 7).all()
        photos.append(set(photo.tolist()))
    assert len(set.union(*photos)) == sum(map(len, photos)) == 20
    assert "photos are divided" in dataset.notes[0]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a photo 1.png 0 10 5 65 70 31.4 7", "expected 'image face top left right bottom confidence expression'"),
        ("a photo 1.png 0 10 65 5 70 31.4 3", "expected 'image face"),
        ("a photo 1.png 0 10 5 65 31.4 3", "expected 'image face"),
        ("happy", "expected 'image face"),
        ("b.png 0 10 5 65 70 31.4 3", "expected the picture 'b.png' in"),
        ("a photo 1.png 0 300 500 560 360 31.4 3", "expected a face inside its 200x120 pixels, found the box 500,300"),
    ],
)
def test_a_label_file_that_does_not_fit(expw, line, message):
    path = expw / "label/label.lst"
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DataError, match=message) as caught:
        load_dataset(str(expw))
    assert "\n" not in str(caught.value)


def test_an_empty_label_file(expw):
    (expw / "label/label.lst").write_text("\n")
    with pytest.raises(DataError, match=r"label\.lst: expected lines of image, face, box and expression, found none"):
        load_dataset(str(expw))


def test_a_box_may_stick_out_a_little(expw):
    path = expw / "label/label.lst"
    path.write_text(path.read_text() + "a photo 1.png 2 -4 -3 60 56 31.4 3\n")
    assert sum(len(split) for split in load_dataset(str(expw)).splits.values()) == 41


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_whatever_stands_in_a_line_it_is_data_or_a_data_error(expw, junk):
    from fer_edge.train.data.files.tree import open_tree
    from fer_edge.train.data.readers.expw import list_faces

    path = expw / "label/junk.lst"
    path.write_bytes(junk.encode() + b"\n")
    with open_tree(expw) as tree:
        label_file = next(file for file in tree.files if file.name == "junk.lst")
        message = ""
        try:
            assert list_faces(tree, label_file).pictures
        except DataError as error:
            message = str(error)
        assert not message or ("junk.lst: " in message and "\n" not in message)
