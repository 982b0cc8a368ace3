"""One folder for each class: splits by name or divided, any size and colour, any classes, and what is refused."""

import struct
import zipfile
import zlib

import numpy as np
import pytest

from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS
from fer_edge.train.data.files.tree import open_tree
from fer_edge.train.data.load import load_dataset
from fer_edge.train.data.pictures import read_pictures
from fer_edge.train.data.readers.folders import list_pictures
from tests.train.data.trees import picture, put, zipped


def listed(root):
    with open_tree(root) as tree:
        return list_pictures(tree)


def read(root, *advance):
    with open_tree(root) as tree:
        return read_pictures(tree, list_pictures(tree).pictures, *advance)


@pytest.fixture
def export(tmp_path):
    root = tmp_path / "export"
    grey = picture(3)
    put(root, "train/happy/Training_00000001.png", grey)
    put(root, "train/Anger/Training_2.png", np.full((96, 120, 3), (10, 20, 30), np.uint8))
    put(root, "test/happy/PublicTest_3.png", grey)
    put(root, "test/happy/PrivateTest_4.jpg", np.full((20, 20), 77, np.uint8))
    put(root, "test/sad/my-photo.png", grey)
    return root, grey


@pytest.fixture
def dances(tmp_path):
    """Classes of one's own, ten pictures each, without splits."""
    for label in range(3):
        for number in range(10):
            put(
                tmp_path, f"dances/{('Veera', 'hasya', 'Shanta')[label]}/{number}.png", picture(10 * label + number, 60)
            )
    return tmp_path / "dances"


def test_splits_sizes_and_colours(export):
    root, grey = export
    splits = read(root)
    assert {name: len(split) for name, split in splits.items()} == {"Training": 2, "PublicTest": 2, "PrivateTest": 1}
    training = splits["Training"]
    assert [EXPRESSIONS[i] for i in training.labels] == ["angry", "happy"]
    assert (training.images[1] == grey).all()
    assert (training.images[0] == round(0.114 * 10 + 0.587 * 20 + 0.299 * 30)).all()
    assert splits["PrivateTest"].images.shape == (1, 48, 48)


def test_the_mapping_of_folder_names_is_stated(export):
    assert listed(export[0]).notes == ("folders by class: Anger is angry",)


def test_a_zip_reads_like_the_folder(export, tmp_path):
    root, _ = export
    folder, archive = read(root), read(zipped(root, tmp_path / "export.zip"))
    assert list(folder) == list(archive)
    for name, split in folder.items():
        assert (split.images == archive[name].images).all()
        assert (split.labels == archive[name].labels).all()


def test_a_folder_around_the_tree_is_looked_into(export, tmp_path):
    root, _ = export
    (tmp_path / "around/deeper").mkdir(parents=True)
    root.rename(tmp_path / "around/deeper/export")
    assert len(listed(tmp_path / "around").pictures) == 5


def test_other_files_are_left_alone(export):
    root, _ = export
    (root / "train/happy/Thumbs.db").write_text("x")
    (root / "train/happy/.hidden.png").write_text("x")
    (root / "__MACOSX/train/happy").mkdir(parents=True)
    (root / "__MACOSX/train/happy/Training_1.png").write_text("x")
    assert len(listed(root).pictures) == 5


def test_progress_counts_pictures(export):
    seen = []
    read(export[0], seen.append)
    assert seen == [1] * 5


def test_validation_comes_before_test(export):
    root, grey = export
    put(root, "Valid/happy/a.png", grey)
    splits = {str(p.file): p.split for p in listed(root).pictures}
    assert splits["Valid/happy/a.png"] == "PublicTest"
    assert splits["test/sad/my-photo.png"] == "PrivateTest"
    assert splits["test/happy/PublicTest_3.png"] == "PublicTest"  # a name that says it wins


def test_eight_classes_of_colour_pictures(tmp_path):
    for number, name in enumerate(("Anger", "Contempt", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")):
        for half in ("Train", "Test"):
            put(tmp_path, f"{half}/{name}/{half}{number}.jpg", np.full((96, 96, 3), number, np.uint8))
    listing = listed(tmp_path)
    assert listing.labels == (*EXPRESSIONS, "contempt")
    assert {p.split for p in listing.pictures} == {"Training", "PublicTest"}


def test_classes_of_ones_own_are_labels_and_divided_in_each_class(dances):
    dataset = load_dataset(str(dances))
    assert dataset.labels == ("hasya", "shanta", "veera")
    for name, count in (("Training", 8), ("PublicTest", 1), ("PrivateTest", 1)):
        assert np.bincount(dataset.split(name).labels).tolist() == [count] * 3
    assert "divided 80/10/10" in dataset.notes[0]
    assert dataset.notes[1] == "classes of its own: hasya, shanta, veera"


def test_equal_pictures_are_on_one_side_whatever_they_are_called(dances):
    for number in range(10, 40):
        put(dances, f"{('Veera', 'hasya', 'Shanta')[number % 3]}/again{number}.png", picture(number % 10, 60))
    dataset = load_dataset(str(dances))
    where = {}
    for name, split in dataset.splits.items():
        for digest in split.hashes():
            assert where.setdefault(digest, name) == name


@pytest.mark.parametrize("content", [b"", b"this is text"])
def test_an_unreadable_picture_is_named(export, content):
    root, _ = export
    (root / "train/happy/Training_9.png").write_bytes(content)
    with pytest.raises(DataError, match=r"Training_9\.png: expected a picture"):
        read(root)


def test_an_empty_folder(tmp_path):
    with pytest.raises(DataError, match="or the folders train/<class> and test/<class>, found an empty folder"):
        listed(tmp_path)


def test_no_class_folders(tmp_path):
    (tmp_path / "train").mkdir()
    with pytest.raises(DataError, match="expected one folder for each class"):
        listed(tmp_path)


def test_an_empty_class_folder(export):
    (export[0] / "train/fear").mkdir()
    with pytest.raises(DataError, match="fear: expected pictures"):
        listed(export[0])


def test_one_class(tmp_path):
    put(tmp_path, "train/happy/1.png", picture(1))
    with pytest.raises(DataError, match="expected folders for two or more classes, found only 'happy'"):
        listed(tmp_path)


def test_a_class_too_small_to_divide(dances):
    put(dances, "karuna/1.png", picture(1))
    with pytest.raises(DataError, match="karuna: expected at least 3 pictures .* found 1"):
        listed(dances)


def test_a_test_class_that_training_lacks(export):
    put(export[0], "test/hapy/1.png", picture(1))
    with pytest.raises(DataError, match="expected every test class in training .*found 'hapy' in test alone"):
        listed(export[0])


def test_a_torn_zip(export, tmp_path):
    path = zipped(export[0], tmp_path / "export.zip")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"export\.zip: expected a folder or a zip file of pictures"):
        load_dataset(str(path))


def test_a_zip_with_a_damaged_picture(export, tmp_path):
    path = zipped(export[0], tmp_path / "export.zip")
    data = bytearray(path.read_bytes())
    start = data.index(b"IDAT")
    data[start + 40 : start + 60] = bytes(20)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"cannot be read from the zip"):
        load_dataset(str(path))


def damaged(path, count):
    """Invert bytes of the first picture's content."""
    with zipfile.ZipFile(path) as archive:
        entry = archive.infolist()[0]
    start = entry.header_offset + 30 + len(entry.filename) + 4
    data = bytearray(path.read_bytes())
    data[start : start + count] = bytes(byte ^ 0xFF for byte in data[start : start + count])
    path.write_bytes(data)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_whose_stream_cannot_be_decompressed(export, tmp_path, method):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for file in sorted(export[0].rglob("*.*")):
            archive.write(file, file.relative_to(export[0]))
    damaged(path, 40)
    with pytest.raises(DataError, match=r"cannot be read from the zip .*; fetch it again"):
        load_dataset(str(path))


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [(8, 1, "is encrypted"), (10, 99, "compression"), (10, 9, "compression"), (6, 99, "expected a folder or a zip")],
)
def test_a_zip_that_python_cannot_open(export, tmp_path, offset, value, message):
    path = zipped(export[0], tmp_path / "export.zip")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + offset] = value  # flags, method and version of the first entry
    path.write_bytes(data)
    with pytest.raises(DataError, match=message):
        load_dataset(str(path))


def test_a_zip_whose_names_begin_with_a_dot(dances, tmp_path):
    path = tmp_path / "dances.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("./", b"")
        for file in sorted(dances.rglob("*.png")):
            archive.writestr(f"./{file.relative_to(dances)}", file.read_bytes())
    assert load_dataset(str(path)).fingerprint == load_dataset(str(dances)).fingerprint


def test_a_picture_of_too_many_pixels(export):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0))
    picture = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    (export[0] / "train/happy/huge.png").write_bytes(picture)
    with pytest.raises(DataError, match=r"huge\.png: expected a picture, found one that OpenCV refuses") as caught:
        read(export[0])
    assert "\n" not in str(caught.value)


def test_pictures_outside_of_the_class_folders_are_told(export, dances):
    root, grey = export
    assert not any("left out" in note for note in listed(root).notes)
    put(root, "train/happy/more/1.png", grey)
    put(root, "train/lost.png", grey)
    (note,) = (note for note in listed(root).notes if note.startswith("left out"))
    assert "2 pictures that lie in no class folder itself, such as train/happy/more/1.png" in note
    put(dances, "lost.png", grey)
    assert any("left out: 1 pictures" in note for note in listed(dances).notes)
