"""Layouts of folders: persons, detectors, names of splits; and files that are no images, counted and named."""

import zlib

import numpy as np
import pytest

from fer_edge.errors import DataError
from fer_edge.train.data.load import load_dataset
from fer_edge.train.data.split_names import split_of
from tests.train.data.trees import picture, put


def people(root, classes, persons, name="{c}/{p}/{i}.png"):
    for c in classes:
        for p in persons:
            for i in range(2):
                put(root, name.format(c=c, p=p, i=i), picture(zlib.crc32(f"{c}{p}{i}".encode())))


@pytest.mark.parametrize("name", ["{c}/{p}/{i}.png", "{p}/{c}/{i}.png", "{c}/{p}/deeper/{i}.png"])
def test_persons_are_divided_whole(tmp_path, name):
    people(tmp_path / "d", ("angry", "happy"), "abcdefghij", name)
    dataset = load_dataset(str(tmp_path / "d"))
    assert {split: len(s) for split, s in dataset.splits.items()} == {
        "Training": 32,
        "PublicTest": 4,
        "PrivateTest": 4,
    }
    persons = [set(split.subjects.tolist()) for split in dataset.splits.values()]
    assert sum(map(len, persons)) == 10
    assert not persons[0] & persons[1]
    assert dataset.notes[0].startswith("divided by person, from the folders, fixed: 8 in Training, 1 in PublicTest")
    assert set(dataset.split("Training").labels.tolist()) == {0, 3}


def test_a_person_has_one_number_in_all_classes(tmp_path):
    people(tmp_path / "d", ("one", "two"), ("anna", "bob", "carl"))
    (split,) = [s for s in load_dataset(str(tmp_path / "d")).splits.values() if 0 in s.subjects]
    assert (np.bincount(split.labels[split.subjects == 0]) == [2, 2]).all()


def test_too_few_persons_to_divide_are_told(tmp_path):
    people(tmp_path / "d", ("angry", "happy"), ("anna", "bob"))
    dataset = load_dataset(str(tmp_path / "d"))
    assert list(dataset.splits) == ["Training"]
    assert (
        dataset.notes[0] == "folders of 2 persons are too few to divide: every picture is in Training, none in a test"
    )


def test_persons_in_two_splits_are_told(tmp_path):
    people(tmp_path / "d", ("angry", "happy"), ("anna", "bob"), "train/{c}/{p}/{i}.png")
    people(tmp_path / "d", ("angry", "happy"), ("bob", "carl"), "test/{c}/{p}/{i}.png")
    assert load_dataset(str(tmp_path / "d")).notes[0].startswith("1 of 3 persons, from the folders, are in more than")


def test_a_class_without_a_person_is_refused(tmp_path):
    people(tmp_path / "d", ("angry", "happy"), ("anna", "bob"))
    (tmp_path / "d/sad").mkdir()
    with pytest.raises(DataError, match="sad: expected pictures in its folders, as in those beside it, found none"):
        load_dataset(str(tmp_path / "d"))


def test_pictures_here_and_persons_there_are_refused_with_the_way_out(tmp_path):
    people(tmp_path / "d", ("angry",), ("anna", "bob"))
    for i in range(4):
        put(tmp_path, f"d/happy/{i}.png", picture(i))
    with pytest.raises(DataError, match="angry: .*found none in it, but 4 in folders below; move them up"):
        load_dataset(str(tmp_path / "d"))


@pytest.mark.parametrize(
    "layout", ["{half}/images/{i}.png {half}/labels/{i}.txt", "images/{half}/{i}.png labels/{half}/{i}.txt"]
)
def test_a_detectors_layout_is_named(tmp_path, layout):
    image, label = layout.split()
    for half in ("train", "valid", "test"):
        for i in range(3):
            put(tmp_path / "d", image.format(half=half, i=i), picture(i))
            path = tmp_path / "d" / label.format(half=half, i=i)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("0 .5 .5 1 1\n")
    with pytest.raises(DataError, match=r"the layout of a detector \(YOLO\).*export it for classification"):
        load_dataset(str(tmp_path / "d"))


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (("train", "val"), {"Training": 4, "PublicTest": 4}),
        (("train", "valid", "test"), {"Training": 4, "PublicTest": 4, "PrivateTest": 4}),
        (("TRAIN", "Validation"), {"Training": 4, "PublicTest": 4}),
        (("Training", "PublicTest", "PrivateTest"), {"Training": 4, "PublicTest": 4, "PrivateTest": 4}),
        (("val",), {"PublicTest": 4}),
        (("train", "val", "valid"), {"Training": 4, "PublicTest": 8}),
        (("train", "Train", "test"), {"Training": 8, "PublicTest": 4}),
    ],
)
def test_names_of_splits(tmp_path, folders, expected):
    for number, folder in enumerate(folders):
        for label in ("happy", "sad"):
            for i in range(2):
                put(tmp_path, f"d/{folder}/{label}/{i}.png", picture(10 * number + i))
    assert {name: len(split) for name, split in load_dataset(str(tmp_path / "d")).splits.items()} == expected


@pytest.mark.parametrize(
    ("name", "present", "meant"),
    [
        ("val", ("Training", "PublicTest"), "PublicTest"),
        ("Valid", ("Training", "PublicTest"), "PublicTest"),
        ("test", ("Training", "PublicTest"), "PublicTest"),
        ("test", ("Training", "PublicTest", "PrivateTest"), "PrivateTest"),
        ("publictest", ("PublicTest",), "PublicTest"),
        ("train", ("Training",), "Training"),
        ("holdout", ("Training",), "holdout"),
    ],
)
def test_what_a_user_may_call_a_split(name, present, meant):
    assert split_of(name, present) == meant


def test_images_of_every_listed_name_are_read(tmp_path):
    for label in ("happy", "sad"):
        for i in range(4):
            put(tmp_path, f"d/{label}/{i}.jpg", picture(i))
            (tmp_path / f"d/{label}/{i}.jpg").rename(tmp_path / f"d/{label}/{i}.{('jfif', 'JPE', 'jif', 'jpg')[i]}")
            put(tmp_path, f"d/{label}/b{i}.jp2", picture(20 + i))
    assert sum(map(len, load_dataset(str(tmp_path / "d")).splits.values())) == 16


def test_what_cannot_be_read_is_counted_and_named(tmp_path):
    for label in ("happy", "sad"):
        for i in range(4):
            put(tmp_path, f"d/{label}/{i}.png", picture(i))
            (tmp_path / f"d/{label}/IMG_{i}.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
        (tmp_path / f"d/{label}/Thumbs.db").write_bytes(b"x")
        (tmp_path / f"d/{label}/raw\x1b[2J.cr2").write_bytes(b"x")
        (tmp_path / f"d/{label}/README").write_bytes(b"x")
    (note,) = (note for note in load_dataset(str(tmp_path / "d")).notes if note.startswith("left out"))
    assert note == (
        "left out: 12 files whose names are not those of images (8 .heic, 2 without ending, 2 .cr2), such as "
        "happy/IMG_0.HEIC; save HEIC as JPEG, such as with heif-convert"
    )


def test_a_class_of_nothing_but_heic_says_what_lies_there(tmp_path):
    for i in range(4):
        put(tmp_path, f"d/happy/{i}.png", picture(i))
    (tmp_path / "d/sad").mkdir()
    (tmp_path / "d/sad/1.heic").write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(DataError, match=r"sad: expected pictures .*found 1 other files such as 1.heic"):
        load_dataset(str(tmp_path / "d"))


def test_a_heic_under_another_name_gets_advice(tmp_path):
    for label in ("happy", "sad"):
        for i in range(4):
            put(tmp_path, f"d/{label}/{i}.jpg", picture(i))
    (tmp_path / "d/sad/4.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(99))
    with pytest.raises(DataError, match=r"4.jpg: expected a picture, found a HEIC file, .*heif-convert"):
        load_dataset(str(tmp_path / "d"))


def test_colours_below_transparent_pixels_are_not_learned(tmp_path):
    for i in range(8):
        hidden = np.dstack([np.full((48, 48, 3), 10 * i, np.uint8), np.zeros((48, 48), np.uint8)])
        hidden[20:30, 20:30, 3] = 255
        put(tmp_path, f"d/train/{('happy', 'sad')[i % 2]}/{i}.png", hidden)
    images = load_dataset(str(tmp_path / "d")).split("Training").images
    assert (images[:, :10] == 255).all()
    assert len({int(image[25, 25]) for image in images}) == 8


def test_a_jpeg_without_its_end_is_learned_as_it_is(tmp_path):
    for label in ("happy", "sad"):
        for i in range(3):
            put(tmp_path, f"d/train/{label}/{i}.jpg", picture(i))
    whole = load_dataset(str(tmp_path / "d")).fingerprint
    path = tmp_path / "d/train/sad/1.jpg"
    path.write_bytes(path.read_bytes()[:-2])
    assert load_dataset(str(tmp_path / "d")).fingerprint == whole
