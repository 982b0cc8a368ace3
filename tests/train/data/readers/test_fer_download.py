"""FER2013 as it is downloaded: archives, folders, encodings, columns; and one line for what is something else."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.errors import DataError
from fer_edge.train.data.classes import EIGHT
from fer_edge.train.data.ferplus import read_votes
from fer_edge.train.data.files import csv_file
from fer_edge.train.data.files.csv_file import at_path
from fer_edge.train.data.load import load_dataset
from tests.train.conftest import csv_text


def tar(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def zipped(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def rows(tiny):
    return [(label, image, "Training") for image, label in zip(*_some(tiny), strict=True)]


def _some(tiny):
    split = tiny.split("Training")
    return split.images[:70], split.labels[:70]


def same_images(dataset, tiny):
    assert dataset.fingerprint == tiny.fingerprint
    assert list(dataset.splits) == ["Training", "PublicTest"]


@pytest.mark.parametrize(
    "pack",
    [
        lambda folder, data: tar(folder / "fer2013.tar.gz", {"fer2013/README": b"x", "fer2013/fer2013.csv": data}),
        lambda folder, data: tar(folder / "fer2013.tar.xz", {"fer2013.csv": data}, "w:xz"),
        lambda folder, data: zipped(folder / "archive.zip", {"fer2013.csv": data}),
        lambda folder, data: zipped(folder / "archive.zip", {"a/b/fer2013.csv": data, "__MACOSX/._fer2013.csv": b"x"}),
    ],
)
def test_an_archive(tmp_path, fer_csv, tiny, pack):
    path = pack(tmp_path, fer_csv.read_bytes())
    dataset = load_dataset(str(path))
    same_images(dataset, tiny)
    assert dataset.notes[0].startswith(f"read from {path}/")


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_a_compressed_csv(tmp_path, fer_csv, tiny, suffix, pack):
    path = tmp_path / f"fer2013.csv.{suffix}"
    path.write_bytes(pack(fer_csv.read_bytes()))
    same_images(load_dataset(str(path)), tiny)


def test_the_votes_may_be_compressed_and_in_utf16_as_well(tmp_path, ferplus):
    plain = read_votes(ferplus)
    packed = tmp_path / "votes.csv.gz"
    packed.write_bytes(gzip.compress(ferplus.read_text().encode("utf-16")))
    usages, counts = read_votes(packed)
    assert usages == plain[0]
    assert (counts == plain[1]).all()


@pytest.mark.parametrize("where", ["kaggle", "kaggle/fer2013"])
def test_a_folder_that_holds_it(tmp_path, fer_csv, tiny, where):
    folder = tmp_path / where
    folder.mkdir(parents=True)
    fer_csv.rename(folder / "fer2013.csv")
    (folder / "example_submission.csv").write_text("id,emotion\n1,2\n")
    same_images(load_dataset(str(tmp_path / "kaggle")), tiny)


def test_the_votes_belong_to_a_csv_in_an_archive_too(tmp_path, fer_csv, ferplus):
    path = zipped(tmp_path / "archive.zip", {"fer2013.csv": fer_csv.read_bytes()})
    assert load_dataset(str(path), ferplus).labels == EIGHT


def test_of_several_the_one_with_splits_is_meant(tmp_path, fer_csv, tiny):
    data = fer_csv.read_bytes()
    no_usage = b"\n".join(line.rpartition(b",")[0] for line in data.splitlines())
    members = {"icml_face_data.csv": data, "test.csv": b"pixels\n1 2\n", "train.csv": no_usage}
    path = zipped(tmp_path / "challenge.zip", {"a.csv": b"id,emotion\n", **members, "fer2013.tar.gz": b"x"})
    dataset = load_dataset(str(path))
    same_images(dataset, tiny)
    assert dataset.notes == (f"read from {path}/icml_face_data.csv",)


def test_ck_in_an_archive_has_its_eight_classes(tmp_path, rows):
    path = zipped(tmp_path / "archive.zip", {"ckextended.csv": csv_text(rows)})
    dataset = load_dataset(str(path))
    assert dataset.labels == EIGHT
    assert any("carries no subjects" in note for note in dataset.notes)


def test_without_a_usage_it_is_divided_and_says_so(tmp_path, rows):
    text = "\n".join(line.rpartition(",")[0] for line in csv_text(rows).splitlines())
    (tmp_path / "train.csv").write_text(text)
    dataset = load_dataset(str(tmp_path / "train.csv"))
    assert {name: len(split) for name, split in dataset.splits.items()} == {
        "Training": 56,
        "PublicTest": 7,
        "PrivateTest": 7,
    }
    (note,) = dataset.notes
    assert note.startswith("it has no column Usage: each class is divided 80/10/10")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16(tmp_path, fer_csv, tiny, encoding):
    path = tmp_path / "excel.csv"
    path.write_bytes(fer_csv.read_text().encode(encoding))
    same_images(load_dataset(str(path)), tiny)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_another_delimiter_and_case(tmp_path, fer_csv, tiny, delimiter):
    path = tmp_path / "excel.csv"
    text = fer_csv.read_text().replace("emotion,pixels,Usage", "Emotion,Pixels,usage")
    path.write_text(text.replace(",", delimiter).replace("Training", "training"))
    same_images(load_dataset(str(path)), tiny)


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("train", "val", "test"), ["Training", "PublicTest", "PrivateTest"]),
        (("Training", "Valid", "Testing"), ["Training", "PublicTest", "PrivateTest"]),
        (("train", "test", "test"), ["Training", "PublicTest"]),
        (("Training", "PublicTest", "test"), ["Training", "PublicTest", "PrivateTest"]),
    ],
)
def test_what_splits_are_called(tmp_path, rows, names, splits):
    renamed = [(label, image, names[0 if i < 50 else 1 + i % 2]) for i, (label, image, _) in enumerate(rows)]
    (tmp_path / "fer.csv").write_text(csv_text(renamed))
    assert list(load_dataset(str(tmp_path / "fer.csv")).splits) == splits


def test_emotions_may_be_words(tmp_path, rows, tiny):
    words = [(("Anger", "Disgust", "Fear", "Happiness", "Sad", "Surprise", "Neutral")[i], *rest) for i, *rest in rows]
    (tmp_path / "fer.csv").write_text(csv_text(words))
    labels = load_dataset(str(tmp_path / "fer.csv")).split("Training").labels
    assert (labels == tiny.split("Training").labels[:70]).all()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("test.csv", b"pixels\n1 2 3\n", "images without labels; take the fer2013.csv"),
        ("data.parquet", b"PAR1" + bytes(90), "found a Parquet file; save it as CSV"),
        ("data.rar", b"Rar!\x1a\x07" + bytes(90), "found a RAR archive; unpack it and give the folder"),
        ("data.7z", b"7z\xbc\xaf\x27\x1c" + bytes(90), "found a 7z archive"),
        ("face.png", b"\x89PNG\r\n\x1a\n" + bytes(90), "found one PNG file; give the folder"),
        ("fer.csv.gz", gzip.compress(b"emotion,pixels,Usage\n" * 9)[:-9], "cannot be unpacked"),
        ("fer.csv.xz", lzma.compress(b"emotion,pixels,Usage\n" * 9)[:-9], "cannot be unpacked"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # packed bytes hold the time
)
def test_something_else_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        load_dataset(str(tmp_path / name))
    assert "\n" not in str(caught.value)


def test_an_archive_in_an_archive_says_what_to_unpack(tmp_path, fer_csv):
    inner = tar(tmp_path / "fer2013.tar.gz", {"fer2013.csv": fer_csv.read_bytes()})
    path = zipped(tmp_path / "outer.zip", {"fer2013.tar.gz": inner.read_bytes()})
    with pytest.raises(DataError, match=r"found another archive, fer2013.tar.gz; unpack outer.zip and give that"):
        load_dataset(str(path))


def test_a_tar_of_pictures_says_how_to_unpack_it(tmp_path):
    path = tar(tmp_path / "faces.tar", {"happy/1.png": b"x"}, "w")
    with pytest.raises(DataError, match=r"found happy/1.png; unpack it with 'tar xf faces.tar' and give the folder"):
        load_dataset(str(path))


@pytest.mark.parametrize("start", [b"\x1b[2J\x1b]0;owned\x07", "\u202eevil".encode(), b"a\x9b31m"])
def test_bytes_of_a_file_reach_no_terminal(tmp_path, start):
    row = f"3,{' '.join(['7'] * 2304)},Training\n".encode()
    for number, content in enumerate(
        [
            start + b",pixels\n",
            b"emotion,pixels,Usage\n" + start + row[1:],
            b"emotion,pixels,Usage\n3," + start + b" 1 2,Training\n",
            b"emotion,pixels,Usage\n" + row.replace(b"Training", start),
        ]
    ):
        path = tmp_path / f"{number}.csv"
        path.write_bytes(content)
        output = CliRunner().invoke(main, ["data", "inspect", str(path)]).output
        assert output.startswith("Error: ")
        assert output.removesuffix("\n").isprintable()


def test_a_field_of_another_size_is_named(tmp_path):
    (tmp_path / "big.csv").write_text(csv_text([(3, np.full(224 * 224, 128), "Training")]))
    with pytest.raises(DataError, match=r"expected 2304 pixels \(48 x 48\) in a field"):
        load_dataset(str(tmp_path / "big.csv"))


def test_a_bomb_is_refused_on_what_it_unpacks_to(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_file, "LARGEST_BYTES", 1 << 20)
    monkeypatch.setattr(csv_file, "MOST_EMPTY_LINES", 1 << 30)
    spaces = b"emotion,pixels,Usage\n" + b"\n" * (2 << 20)
    packed = tmp_path / "fer.csv.gz"
    packed.write_bytes(gzip.compress(spaces))
    archive = zipped(tmp_path / "archive.zip", {"fer2013.csv": spaces})
    for path in (packed, archive):
        with pytest.raises(DataError, match="expected at most 1 MB, found more when it is unpacked"):
            load_dataset(str(path))


@pytest.mark.parametrize(
    ("rest", "message"),
    [(b" " * (2 << 20), "expected a line of at most 1048576 characters"), (b"\n" * 200_000, "100000 empty lines")],
)
def test_a_file_of_next_to_nothing_ends_early(tmp_path, rest, message):
    path = tmp_path / "fer.csv.xz"
    path.write_bytes(lzma.compress(b"emotion,pixels,Usage\n" + rest))
    with pytest.raises(DataError, match=message):
        load_dataset(str(path))


def test_a_header_of_a_tar_cannot_ask_for_more_memory_than_it_needs(tmp_path):
    entry = tarfile.TarInfo("pax")
    entry.type, entry.size = tarfile.XHDTYPE, 3 << 30
    path = tmp_path / "fer2013.tar"
    path.write_bytes(entry.tobuf(tarfile.USTAR_FORMAT) + bytes(4096))
    with pytest.raises(DataError, match="found a header of"):
        load_dataset(str(path))


def test_columns_are_read_once(tmp_path, fer_csv):
    file = at_path(fer_csv)
    assert file.header == ["emotion", "pixels", "Usage"]
    fer_csv.unlink()
    assert file.header == ["emotion", "pixels", "Usage"]
