"""Data sets by name, and the cache: fast, never stale, never in the way."""

import os

import numpy as np
import pytest

from fer_edge.errors import DataError
from fer_edge.train.data import cache, load
from fer_edge.train.data.dataset import Dataset
from fer_edge.train.data.load import load_dataset
from tests.train.conftest import csv_text


def test_the_second_load_comes_from_the_cache(fer_csv, monkeypatch):
    first = load_dataset(str(fer_csv))
    monkeypatch.setattr(load, "read_fer_csv", lambda *_: pytest.fail("parsed again"))
    again = load_dataset(str(fer_csv))
    assert again.fingerprint == first.fingerprint
    assert (again.split("PublicTest").rows == first.split("PublicTest").rows).all()


def test_an_edit_that_keeps_size_and_time_is_seen(fer_csv):
    first = load_dataset(str(fer_csv))
    status = fer_csv.stat()
    text = fer_csv.read_text()
    fer_csv.write_text(text.replace("\n0,", "\n1,", 1))
    os.utime(fer_csv, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert fer_csv.stat().st_size == status.st_size
    again = load_dataset(str(fer_csv))
    assert again.split("Training").labels[0] == 1
    assert again.fingerprint != first.fingerprint


def test_a_replaced_picture_is_seen(tmp_path):
    import cv2

    def put(value):
        for name, number in (("happy", 1), ("happy", 2), ("sad", 3), ("sad", 4)):
            folder = tmp_path / "d/train" / name
            folder.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / f"Training_{number}.png"), np.full((48, 48), value, np.uint8))

    put(10)
    assert load_dataset(str(tmp_path / "d")).split("Training").images[0, 0, 0] == 10
    file = tmp_path / "d/train/happy/Training_1.png"
    status = file.stat()
    put(11)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert load_dataset(str(tmp_path / "d")).split("Training").images[0, 0, 0] == 11


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04 torn"])
def test_a_damaged_cache_is_parsed_again(fer_csv, content):
    first = load_dataset(str(fer_csv))
    (file,) = cache.cache_folder().iterdir()
    file.write_bytes(content)
    assert load_dataset(str(fer_csv)).fingerprint == first.fingerprint


def test_any_changed_byte_of_the_cache_is_noticed(fer_csv, caplog):
    first = load_dataset(str(fer_csv))
    (file,) = cache.cache_folder().iterdir()
    whole = file.read_bytes()
    names = [position for name in (b"PublicTest_labels", b"splits") for position in _all(whole, name)]
    rng = np.random.default_rng(0)
    for position in [0, 31, 32, len(whole) - 1, *names, *rng.integers(0, len(whole), 10).tolist()]:
        damaged = bytearray(whole)
        damaged[position] ^= 1 << int(rng.integers(8))
        file.write_bytes(damaged)
        caplog.clear()
        again = load_dataset(str(fer_csv))
        assert again.fingerprint == first.fingerprint
        assert list(again.splits) == list(first.splits)
        assert "it is read anew" in caplog.text
        assert file.read_bytes() == whole  # and mended


def _all(data, part):
    found = [data.find(part)]
    while (following := data.find(part, found[-1] + 1)) >= 0:
        found.append(following)
    return found


def test_the_cache_of_another_data_set_is_none_of_this_one(fer_csv, tmp_path):
    load_dataset(str(fer_csv))
    (file,) = cache.cache_folder().iterdir()
    other = tmp_path / "other.csv"
    other.write_text(fer_csv.read_text().replace("\n0,", "\n1,", 1))
    expected = load_dataset(str(other)).fingerprint
    (second,) = set(cache.cache_folder().iterdir()) - {file}
    second.write_bytes(file.read_bytes())
    assert load_dataset(str(other)).fingerprint == expected


def test_a_cache_whose_name_is_a_folder_is_no_failure(fer_csv, caplog):
    load_dataset(str(fer_csv))
    (file,) = cache.cache_folder().iterdir()
    file.unlink()
    file.mkdir()
    assert len(load_dataset(str(fer_csv)).split("Training")) == 140
    assert "not cached" in caplog.text


def test_a_name_that_is_no_text(fer_csv, tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9\x1b.csv")
    path.write_bytes(fer_csv.read_bytes())
    dataset = load_dataset(str(path))
    assert dataset.name == r"caf\udce9\x1b.csv"


def test_a_cache_that_cannot_be_written_is_no_failure(fer_csv, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(load_dataset(str(fer_csv)).split("Training")) == 140
    assert "not cached" in caplog.text


def test_what_is_not_there(tmp_path):
    with pytest.raises(DataError, match="found no such file"):
        load_dataset(str(tmp_path / "none.csv"))


def test_a_split_that_is_not_there(fer_csv):
    with pytest.raises(DataError, match="expected a split named PrivateTest, found Training, PublicTest"):
        load_dataset(str(fer_csv)).split("PrivateTest")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([3, 3, 3], "expected images of two or more classes in Training, found happy alone"),
        ([3, 3, 0, 0, 1], "expected two or more images of each class in Training, found one of disgust"),
    ],
)
def test_too_little_to_train_on(tmp_path, labels, message):
    rows = [(label, np.full(2304, i), "Training") for i, label in enumerate(labels)]
    (tmp_path / "fer.csv").write_text(csv_text(rows))
    with pytest.raises(DataError, match=message):
        load_dataset(str(tmp_path / "fer.csv"))


def test_tests_alone_may_hold_one_class(tmp_path):
    (tmp_path / "fer.csv").write_text(csv_text([(3, np.zeros(2304, int), "PublicTest")]))
    assert len(load_dataset(str(tmp_path / "fer.csv")).split("PublicTest")) == 1


def test_a_training_split_without_images(tiny):
    empty = {**tiny.splits, "Training": tiny.split("Training").take(np.zeros(140, bool))}
    with pytest.raises(DataError, match="expected images of two or more classes in Training, found none"):
        load._check_classes(Dataset.make("empty", tiny.labels, empty))


def test_a_class_that_only_a_test_split_has_is_told(tmp_path):
    rows = [(label, np.full(2304, i), "Training") for i, label in enumerate([3, 3, 0, 0])]
    rows += [(label, np.full(2304, 9 + i), "PublicTest") for i, label in enumerate([3, 6])]
    (tmp_path / "fer.csv").write_text(csv_text(rows))
    (note,) = load_dataset(str(tmp_path / "fer.csv")).notes
    assert note.startswith("not in Training, but in a test split: neutral;")


def test_tests_that_lack_a_class_are_nothing_to_tell(tmp_path):
    rows = [(label, np.full(2304, i), "Training") for i, label in enumerate([3, 3, 0, 0])]
    rows += [(3, np.full(2304, 9), "PublicTest")]
    (tmp_path / "fer.csv").write_text(csv_text(rows))
    assert load_dataset(str(tmp_path / "fer.csv")).notes == ()


@pytest.mark.parametrize(("faces", "said"), [("crop", True), ("upright", True), ("auto", False), ("as-is", False)])
def test_that_faces_are_not_cut_out_of_faces_is_said(fer_csv, faces, said):
    notes = load_dataset(str(fer_csv), faces=faces).notes
    assert any(f"--faces {faces} changes nothing" in note for note in notes) == said
