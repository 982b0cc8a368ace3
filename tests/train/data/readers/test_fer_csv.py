"""The FER2013 file: both layouts, and every way it can be damaged."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer_edge.errors import DataError
from fer_edge.train.data.files.csv_file import at_path
from fer_edge.train.data.readers.fer_csv import read_fer_csv
from tests.train.conftest import csv_text

GOOD = (3, np.arange(2304) % 256, "Training")


def write(tmp_path, text):
    path = tmp_path / "fer.csv"
    path.write_text(text)
    return path


def written(tmp_path, text):
    return at_path(write(tmp_path, text))


def test_the_challenge_file(fer_csv, tiny):
    splits = read_fer_csv(at_path(fer_csv))
    assert list(splits) == ["Training", "PublicTest"]
    for name, split in splits.items():
        assert (split.images == tiny.split(name).images).all()
        assert split.images.dtype == np.uint8
        assert (split.labels == tiny.split(name).labels).all()
    assert splits["PublicTest"].rows[0] == 140


def test_the_icml_variant(tmp_path):
    pixels = " ".join(["7"] * 2304)
    splits = read_fer_csv(written(tmp_path, f"emotion, Usage, pixels\n6,PrivateTest,{pixels}\n"))
    assert splits["PrivateTest"].labels.tolist() == [6]
    assert (splits["PrivateTest"].images == 7).all()


def test_a_byte_order_mark_and_windows_line_ends(tmp_path):
    path = tmp_path / "fer.csv"
    path.write_bytes(b"\xef\xbb\xbf" + csv_text([GOOD]).replace("\n", "\r\n").encode())
    assert read_fer_csv(at_path(path))["Training"].labels.tolist() == [3]


def test_progress_adds_up(fer_csv):
    seen = []
    read_fer_csv(at_path(fer_csv), seen.append)
    assert sum(seen) == fer_csv.stat().st_size


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ((7, GOOD[1], "Training"), r"row 2 \(line 3\): expected an emotion of 0 angry.*found '7'"),
        (("9" * 5000, GOOD[1], "Training"), r"row 2 \(line 3\): expected an emotion of 0 angry.*found '9{19}…'"),
        (("hungry", GOOD[1], "Training"), "found 'hungry'"),
        (("-1", GOOD[1], "Training"), "found '-1'"),
        (("", GOOD[1], "Training"), "found ''"),
        ((3, GOOD[1], "Tuning"), "expected a Usage of Training, PublicTest, PrivateTest, found 'Tuning'"),
        ((3, GOOD[1][:-1], "Training"), r"expected 2304 pixels \(48 x 48\), found 2303"),
        ((3, [], "Training"), "row 2"),
        ((3, [*GOOD[1][:-1], 256], "Training"), "expected pixels of 0..255, found 256"),
        ((3, [*GOOD[1][:-1], -1], "Training"), "expected pixels of 0..255, found -1"),
        ((3, [*GOOD[1][:-1], "x"], "Training"), "found 'x' among them"),
        ((3, [*GOOD[1][:-1], 1.5], "Training"), "found '1.5' among them"),
    ],
)
def test_a_bad_row_is_named(tmp_path, bad, message):
    path = write(tmp_path, csv_text([GOOD, bad, GOOD]))
    with pytest.raises(DataError, match=r"fer\.csv: row 2 \(line 3\)"):
        read_fer_csv(at_path(path))
    with pytest.raises(DataError, match=message):
        read_fer_csv(at_path(path))


def test_empty_lines_are_none(fer_csv):
    before = read_fer_csv(at_path(fer_csv))
    text = fer_csv.read_text()
    header, rest = text.split("\n", 1)
    fer_csv.write_text(f"{header}\n\n{rest}\n\n")
    after = read_fer_csv(at_path(fer_csv))
    for name, split in before.items():
        assert np.array_equal(split.images, after[name].images)
        assert np.array_equal(split.labels, after[name].labels)


def test_a_torn_file(tmp_path):
    text = csv_text([GOOD, GOOD])
    with pytest.raises(DataError, match=r"row 2 \(line 3\): expected 3 fields, found 2; the row is torn"):
        read_fer_csv(written(tmp_path, text[:-500]))


@pytest.mark.parametrize("text", ["", "\n", "a,b,c\n1,2,3\n", "emotion,Usage\n", "\0\0\0\0"])
def test_another_file(tmp_path, text):
    with pytest.raises(DataError, match="expected the columns emotion, pixels, Usage in the first line"):
        read_fer_csv(written(tmp_path, text))


def test_only_a_header(tmp_path):
    with pytest.raises(DataError, match="expected rows of images below the header, found none"):
        read_fer_csv(written(tmp_path, "emotion,pixels,Usage\n"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 40_000), junk=st.text(max_size=30))
def test_whatever_happens_it_is_data_or_a_data_error(tmp_path, cut, junk):
    text = csv_text([GOOD] * 4)
    position = cut % len(text)
    path = write(tmp_path, text[:position] + junk.replace("\r", "") + text[position:])
    message = ""
    try:
        assert read_fer_csv(at_path(path))["Training"].images.shape[1:] == (48, 48)
    except DataError as error:
        message = str(error)
    assert not message or ("fer.csv: " in message and "\n" not in message)
