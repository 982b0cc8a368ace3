"""The folder export: splits by name, any size and colour, and what is refused."""

import cv2
import numpy as np
import pytest

from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS
from fer_edge.train.data.folders import list_pictures, read_folders


def put(root, name, image):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


@pytest.fixture
def export(tmp_path):
    grey = np.random.default_rng(3).integers(0, 256, (48, 48), dtype=np.uint8)
    put(tmp_path, "train/happy/Training_00000001.png", grey)
    put(tmp_path, "train/Anger/Training_2.png", np.full((96, 120, 3), (10, 20, 30), np.uint8))
    put(tmp_path, "test/happy/PublicTest_3.png", grey)
    put(tmp_path, "test/happy/PrivateTest_4.jpg", np.full((20, 20), 77, np.uint8))
    put(tmp_path, "test/sad/my-photo.png", grey)
    return tmp_path, grey


def test_splits_sizes_and_colours(export):
    root, grey = export
    splits = read_folders(list_pictures(root))
    assert {name: len(split) for name, split in splits.items()} == {"Training": 2, "PublicTest": 2, "PrivateTest": 1}
    training = splits["Training"]
    assert [EXPRESSIONS[i] for i in training.labels] == ["angry", "happy"]
    assert (training.images[1] == grey).all()
    assert (training.images[0] == round(0.114 * 10 + 0.587 * 20 + 0.299 * 30)).all()
    assert splits["PrivateTest"].images.shape == (1, 48, 48)


def test_other_files_are_left_alone(export):
    root, _ = export
    (root / "train/happy/Thumbs.db").write_text("x")
    (root / "train/happy/.hidden.png").write_text("x")
    assert len(list_pictures(root)) == 5


def test_progress_counts_pictures(export):
    seen = []
    read_folders(list_pictures(export[0]), seen.append)
    assert seen == [1] * 5


@pytest.mark.parametrize("content", [b"", b"this is text"])
def test_an_unreadable_picture_is_named(export, content):
    root, _ = export
    (root / "train/happy/Training_9.png").write_bytes(content)
    with pytest.raises(DataError, match=r"Training_9\.png: expected a picture"):
        read_folders(list_pictures(root))


def test_an_empty_folder(tmp_path):
    with pytest.raises(DataError, match="expected the folders train/<class> and test/<class>, found an empty folder"):
        list_pictures(tmp_path)


def test_no_class_folders(tmp_path):
    (tmp_path / "train").mkdir()
    with pytest.raises(DataError, match="expected one folder for each class"):
        list_pictures(tmp_path)


def test_an_empty_class_folder(export):
    (export[0] / "train/fear").mkdir()
    with pytest.raises(DataError, match="fear: expected pictures"):
        list_pictures(export[0])


def test_an_unknown_class(export):
    (export[0] / "train/bored").mkdir()
    with pytest.raises(DataError, match="expected a class folder named angry, .*found 'bored'"):
        list_pictures(export[0])
