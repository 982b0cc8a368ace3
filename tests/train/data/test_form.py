"""Data sets in another size and in colour."""

import cv2
import numpy as np
import pytest

from fer_edge.preprocess import Box
from fer_edge.train.data.classes import in_order
from fer_edge.train.data.dataset import SPLITS, Dataset, Split
from fer_edge.train.data.files.tree import open_tree
from fer_edge.train.data.form import Form
from fer_edge.train.data.load import load_dataset
from fer_edge.train.data.pictures import Picture, read_pictures
from tests.train.data.trees import put


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Red happy and blue sad squares; equally bright."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for split in ("train", "test"):
        for name, bgr in (("happy", (0, 0, 200)), ("sad", (255, 50, 30))):
            (tmp_path / "data" / split / name).mkdir(parents=True)
            for number in range(2):
                picture = np.full((60, 80, 3), bgr, np.uint8)
                picture[number, 0] = 9 + number
                cv2.imwrite(str(tmp_path / "data" / split / name / f"{number}.png"), picture)
    return tmp_path / "data"


def test_a_folder_is_read_in_colour_and_each_form_has_its_own_cache(folder):
    for form, shape in ((Form(), (48, 48)), (Form(64, 3), (64, 64, 3)), (Form(), (48, 48)), (Form(64), (64, 64))):
        split = load_dataset(str(folder), form=form).split("Training")
        assert split.images.shape[1:] == shape
    colour = load_dataset(str(folder), form=Form(64, 3)).split("Training")
    middle = colour.images[:, 32, 32].astype(int)
    for label, rgb in ((3, (200, 0, 0)), (4, (30, 50, 255))):
        assert np.abs(middle[colour.labels == label] - rgb).max() <= 3


def test_classes_in_another_order_are_the_same_images():
    labels = np.array([0, 1, 2, 2])
    votes = np.eye(3, dtype=np.float32)[labels]
    split = Split(np.zeros((4, 48, 48), np.uint8), labels, np.arange(4), votes=votes)
    dataset = Dataset.make("x", ("a", "b", "c"), {"Training": split})
    found = in_order(dataset, ("c", "a", "b"))
    assert [found.labels[label] for label in found.split("Training").labels] == ["a", "b", "c", "c"]
    assert np.array_equal(found.split("Training").votes.argmax(axis=1), found.split("Training").labels)
    assert found.fingerprint == dataset.fingerprint
    assert in_order(dataset, ("a", "b")) is dataset


def test_a_picture_is_in_the_same_split_in_every_form(tmp_path):
    eyes = ((34.0, 40.0), (62.0, 44.0), (48.0, 56.0), (38.0, 68.0), (58.0, 70.0))
    for number in range(40):
        noise = np.random.default_rng(number).integers(0, 256, (96, 96, 3), dtype=np.uint8)
        put(tmp_path, f"{number}.png", noise)
    with open_tree(tmp_path) as tree:
        pictures = [Picture(file, i % 2, None, -1, Box(16, 20, 64, 64), eyes) for i, file in enumerate(tree.files)]
        grey, colour, turned = (
            read_pictures(tree, pictures, form=form) for form in (Form(), Form(96, 3), Form(framing="eyes"))
        )
    assert tuple(grey) == SPLITS
    for other in (colour, turned):
        assert {name: split.rows.tolist() for name, split in other.items()} == {
            name: split.rows.tolist() for name, split in grey.items()
        }
    assert colour["Training"].images.shape[1:] == (96, 96, 3)
    assert not np.array_equal(turned["Training"].images, grey["Training"].images)
