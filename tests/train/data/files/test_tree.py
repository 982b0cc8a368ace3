"""Folders and zips as people have them: links, names of other systems, other compressions, and what never ends."""

import itertools
import os
import struct
import time
import unicodedata
import zipfile

import pytest

from fer_edge.errors import DataError
from fer_edge.train.data.files import archive, tree
from fer_edge.train.data.files.tree import open_tree
from fer_edge.train.data.load import load_dataset
from tests.train.data.trees import picture, put

CLASSES = ("angry", "happy", "sad")


@pytest.fixture
def store(tmp_path):
    for label, name in enumerate(CLASSES):
        for number in range(5):
            put(tmp_path, f"store/{name}/{number}.png", picture(10 * label + number))
    return tmp_path / "store"


def same(path, other):
    assert load_dataset(str(path)).fingerprint == load_dataset(str(other)).fingerprint


def test_class_folders_that_are_links(store, tmp_path):
    (tmp_path / "linked").mkdir()
    for name in CLASSES:
        (tmp_path / "linked" / name).symlink_to(store / name)
    same(tmp_path / "linked", store)


def test_one_class_that_is_a_link_beside_folders(store, tmp_path):
    (store / "sad").rename(tmp_path / "elsewhere")
    (store / "sad").symlink_to(tmp_path / "elsewhere")
    assert load_dataset(str(store)).split("Training").labels.max() == 4


def test_split_folders_that_are_links(store, tmp_path):
    (tmp_path / "halves").mkdir()
    for name in ("train", "test"):
        (tmp_path / "halves" / name).symlink_to(store)
    assert {name: len(s) for name, s in load_dataset(str(tmp_path / "halves")).splits.items()} == {
        "Training": 15,
        "PublicTest": 15,
    }


def test_links_that_lead_back_are_not_followed_for_ever(store):
    (store / "happy" / "again").symlink_to(store)
    (store / "happy" / "self").symlink_to(store / "happy")
    with open_tree(store) as found:
        assert sum(file.name == "0.png" for file in found.files) == 3
    (store / "broken").symlink_to(store / "none")
    assert len(load_dataset(str(store)).split("Training")) == 9


def test_links_that_multiply_end_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "MAX_FOLDERS", 1000)
    levels = [tmp_path / f"level{number}" for number in range(8)]
    for level in levels:
        level.mkdir()
    for level, deeper in itertools.pairwise(levels):
        for number in range(6):
            (level / str(number)).symlink_to(deeper)
    with pytest.raises(DataError, match="expected at most 1000 folders, found more; this is no data set"):
        load_dataset(str(levels[0]))


def packed(store, path, name=lambda file: file, flag=0, method=zipfile.ZIP_STORED):
    """Zip with names that zipfile itself would write otherwise."""
    with zipfile.ZipFile(path, "w", method) as target:
        for file in sorted(store.rglob("*.png")):
            entry = zipfile.ZipInfo("x")
            entry.filename = name(str(file.relative_to(store)))
            entry.flag_bits |= flag
            entry.compress_type = method
            target.writestr(entry, file.read_bytes())
    return path


def test_a_zip_with_backslashes(store, tmp_path):
    same(packed(store, tmp_path / "windows.zip", lambda name: "faces\\" + name.replace("/", "\\")), store)


def test_a_zip_whose_names_are_utf8_without_saying_so(store, tmp_path):
    """As macOS makes them: decomposed, and without the flag that says UTF-8."""
    path = packed(store, tmp_path / "mac.zip", lambda name: name.replace("happy", "fröhlich"))
    data = path.read_bytes()
    name = "fröhlich".encode()
    assert name in data
    flagless = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = flagless.find(signature)
        while position >= 0:
            flagless[position + offset : position + offset + 2] = b"\0\0"
            position = flagless.find(signature, position + 4)
    path.write_bytes(flagless)
    assert "fröhlich" in load_dataset(str(path)).labels


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (9, "found Deflate64 in 'angry/0.png'; unpack it with 7-Zip or unzip and give the folder"),
        (93, "found Zstandard in"),
        (99, "found AES encryption in"),
        (6, "found number 6 in"),
    ],
)
def test_a_zip_that_python_cannot_unpack_says_the_way_out(store, tmp_path, method, message):
    path = packed(store, tmp_path / "other.zip")
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        position = data.find(signature)
        while position >= 0:
            struct.pack_into("<H", data, position + offset, method)
            position = data.find(signature, position + 4)
    path.write_bytes(data)
    with pytest.raises(DataError, match=message):
        load_dataset(str(path))


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_is_unpacked_only_as_far_as_an_image_goes(store, tmp_path, monkeypatch, method):
    monkeypatch.setattr(tree, "LARGEST_IMAGE_BYTES", 1 << 20)
    (store / "sad" / "bomb.png").write_bytes(bytes(4 << 20))
    path = packed(store, tmp_path / "bomb.zip", method=method)
    with pytest.raises(DataError, match=r"bomb.png: expected at most 1 MB, found more when it is unpacked"):
        load_dataset(str(path))


def test_a_member_that_lies_about_its_size_gives_no_more_than_it_says(store, tmp_path):
    (store / "sad" / "bomb.png").write_bytes(bytes(4 << 20))
    path = packed(store, tmp_path / "bomb.zip", method=zipfile.ZIP_DEFLATED)
    data = path.read_bytes()
    path.write_bytes(data.replace(struct.pack("<I", 4 << 20), struct.pack("<I", 1000)))
    with zipfile.ZipFile(path) as opened:
        entry = opened.getinfo("sad/bomb.png")
        with pytest.raises(DataError, match="cannot be read from the zip"):
            archive.read_member(opened, entry, 2000, "bomb.png")


def test_names_thousands_of_folders_deep(store, tmp_path):
    path = packed(store, tmp_path / "deep.zip", lambda name: "a/" * 20_000 + name)
    begun = time.perf_counter()
    with pytest.raises(DataError, match=r"expected at most 32 folders inside each other, found 20001") as caught:
        load_dataset(str(path))
    assert time.perf_counter() - begun < 5
    assert len(str(caught.value)) < 400


def test_folders_that_are_deeper_than_any_data_set(store):
    deep = store / "happy"
    for _ in range(40):
        deep = deep / "d"
    deep.mkdir(parents=True)
    with pytest.raises(DataError, match="expected at most 32 folders inside each other"):
        load_dataset(str(store))


@pytest.mark.parametrize("name", ["fröhlich", "Ämter", "가나", "glück"])
def test_one_name_in_two_unicode_forms_is_one_class(tmp_path, name):
    for half, form in (("train", "NFC"), ("test", "NFD")):
        for number in range(3):
            put(tmp_path, f"d/{half}/{unicodedata.normalize(form, name)}/{number}.png", picture(number))
            put(tmp_path, f"d/{half}/traurig/{number}.png", picture(50 + number))
    dataset = load_dataset(str(tmp_path / "d"))
    assert dataset.labels == tuple(sorted((unicodedata.normalize("NFC", name).lower(), "traurig")))
    assert [len(split) for split in dataset.splits.values()] == [6, 6]


def test_both_forms_side_by_side_are_one_class(tmp_path):
    for form in ("NFC", "NFD"):
        for number in range(5):
            put(tmp_path, f"d/{unicodedata.normalize(form, 'fröhlich')}/{number}{form}.png", picture(number))
            put(tmp_path, f"d/traurig/{number}{form}.png", picture(number, 50))
    assert load_dataset(str(tmp_path / "d")).labels == ("fröhlich", "traurig")


def test_a_mapping_may_be_typed_in_the_other_form(tmp_path):
    for number in range(5):
        for name in (unicodedata.normalize("NFD", "fröhlich"), "traurig", "wütend"):
            put(tmp_path, f"d/{name}/{number}.png", picture(number + len(name)))
    mapped = load_dataset(str(tmp_path / "d"), mapping={unicodedata.normalize("NFD", "wütend"): "traurig"})
    assert mapped.labels == ("fröhlich", "traurig")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_an_error(store):
    (store / "sad").chmod(0)
    with pytest.raises(PermissionError):
        load_dataset(str(store))
