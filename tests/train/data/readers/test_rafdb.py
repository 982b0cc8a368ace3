"""RAF-DB in both layouts that go around, and label files that do not fit."""

import numpy as np
import pytest

from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS
from fer_edge.train.data.dataset import PUBLIC_TEST, TRAINING
from fer_edge.train.data.load import load_dataset
from tests.train.data.trees import put, zipped

NUMBERS = ["surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"]


def face(value):
    """An aligned face: a margin of another grey than the face."""
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[7:93, 7:93] = value
    return picture


FACES = [(split, i, i % 7 + 1) for split, count in (("train", 28), ("test", 7)) for i in range(count)]


@pytest.fixture
def listed(tmp_path):
    lines = []
    for split, i, number in FACES:
        put(tmp_path, f"basic/Image/aligned/{split}_{i:05}_aligned.png", face(50 + i))
        lines.append(f"{split}_{i:05}.png {number}")
    (tmp_path / "basic/EmoLabel").mkdir()
    (tmp_path / "basic/EmoLabel/list_patition_label.txt").write_text("\n".join(lines) + "\n")
    return tmp_path / "basic"


@pytest.fixture
def numbered(tmp_path):
    for split, i, number in FACES:
        put(tmp_path, f"DATASET/{split}/{number}/{split}_{i:05}_aligned.png", face(50 + i))
    return tmp_path / "DATASET"


def check(dataset):
    assert dataset.labels == EXPRESSIONS
    assert {name: len(split) for name, split in dataset.splits.items()} == {TRAINING: 28, PUBLIC_TEST: 7}
    for split in dataset.splits.values():
        values = split.images.reshape(len(split), -1)
        assert (values == values[:, :1]).all()  # nothing of the margin
        names = [NUMBERS[(int(value) - 50) % 7] for value in values[:, 0]]
        assert [EXPRESSIONS[label] for label in split.labels] == names
    assert "research alone" in dataset.notes[0]


def test_the_authors_layout(listed):
    check(load_dataset(str(listed)))


def test_folders_by_number_and_a_zip(numbered, tmp_path):
    check(load_dataset(str(numbered)))
    check(load_dataset(str(zipped(numbered, tmp_path / "raf.zip"))))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train_00001.png 8", "expected 'train_00001.jpg 5' with a class of 1 to 7, found 'train_00001.png 8'"),
        ("train_00001.png", "expected 'train_00001.jpg 5'"),
        ("../secret.png 3", "expected 'train_00001.jpg 5'"),
        ("train_77777.png 3", "expected the aligned face 'train_77777_aligned.png' in"),
    ],
)
def test_a_list_that_does_not_fit(listed, line, message):
    path = listed / "EmoLabel/list_patition_label.txt"
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DataError, match=message) as caught:
        load_dataset(str(listed))
    assert "line 36" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_list(listed):
    (listed / "EmoLabel/list_patition_label.txt").write_text("\n")
    with pytest.raises(DataError, match=r"expected lines such as 'train_00001\.jpg 5', found none"):
        load_dataset(str(listed))


def test_numbered_classes_of_other_pictures_stay_classes_of_their_own(tmp_path):
    for number in (1, 2):
        for i in range(3):
            put(tmp_path, f"train/{number}/picture{i}.png", face(10 * number + i))
    assert load_dataset(str(tmp_path)).labels == ("1", "2")
