"""CK+: no subject in two splits, as folder, zip and CSV."""

from pathlib import Path

import numpy as np
import pytest

from fer_edge.train.data.duplicates import hold_out
from fer_edge.train.data.load import load_dataset
from tests.train.conftest import csv_text
from tests.train.data.trees import picture, put, zipped

REAL = Path(__file__).parents[3] / "../shared/data/expressions/ckplus48.zip"
CLASSES = ("anger", "contempt", "happy")


@pytest.fixture
def ckplus(tmp_path):
    """Thirty subjects, three frames of each of two classes."""
    for subject in range(30):
        for sequence in range(2):
            for frame in range(3):
                name = f"S{subject:03}_{sequence:03}_{frame:08}.png"
                put(tmp_path, f"ck/CK+48/{CLASSES[(subject + sequence) % 3]}/{name}", picture(hash((name, 1)) % 2**31))
    return tmp_path / "ck"


def subjects(split):
    return set(split.subjects.tolist())


def check_subjects(dataset):
    seen = [subjects(split) for split in dataset.splits.values()]
    assert len(seen) == 3
    assert all(-1 not in found for found in seen)
    assert len(set.union(*seen)) == sum(len(found) for found in seen)
    return seen


def test_no_subject_is_in_two_splits(ckplus):
    dataset = load_dataset(str(ckplus))
    assert dataset.labels == ("angry", "happy", "contempt")
    assert [len(found) for found in check_subjects(dataset)] == [24, 3, 3]
    assert "24 in Training, 3 in PublicTest, 3 in PrivateTest; no subject is in two splits" in dataset.notes[0]


def test_the_division_is_fixed_and_the_same_from_zip_and_cache(ckplus, tmp_path):
    first = load_dataset(str(ckplus))
    again = load_dataset(str(ckplus))
    archive = load_dataset(str(zipped(ckplus, tmp_path / "ck.zip")))
    assert first.fingerprint == again.fingerprint == archive.fingerprint
    assert again.split("Training").subjects is not None


def test_the_holdout_takes_whole_subjects(ckplus):
    training, held = hold_out(load_dataset(str(ckplus)).split("Training"))
    assert len(subjects(held)) == 2
    assert not subjects(held) & subjects(training)
    assert len(held) + len(training) == 24 * 6


def test_subjects_of_joined_sets_stay_apart(ckplus, tmp_path, fer_csv):
    other = zipped(ckplus, tmp_path / "other.zip")
    joined = load_dataset(f"{ckplus}+{fer_csv}+{other}").split("Training")
    first, none, second = (set(joined.subjects[joined.sources == source].tolist()) for source in range(3))
    assert none == {-1}
    assert not first & second
    assert len(first) == len(second) == 24


def test_the_csv_form_has_an_eighth_class_and_says_that_subjects_are_unknown(tmp_path):
    rows = [(label, picture(label), "Training") for label in (0, 7, 0, 7)]
    path = tmp_path / "ckextended.csv"
    path.write_text(csv_text(rows))
    dataset = load_dataset(str(path))
    assert dataset.labels[7] == "contempt"
    assert dataset.split("Training").labels.tolist() == [0, 7, 0, 7]
    assert dataset.split("Training").subjects is None
    assert "carries no subjects" in dataset.notes[0]


def test_the_eighth_class_is_refused_under_another_name_even_when_cached(tmp_path):
    from fer_edge.errors import DataError

    text = csv_text([(7, picture(1), "Training"), (7, picture(2), "Training"), *[(0, picture(3), "Training")] * 2])
    for name in ("ckextended.csv", "fer.csv"):
        (tmp_path / name).write_text(text)
    load_dataset(str(tmp_path / "ckextended.csv"))
    with pytest.raises(DataError, match=r"fer\.csv: row 1 \(line 2\): expected an emotion of 0 angry"):
        load_dataset(str(tmp_path / "fer.csv"))


@pytest.mark.skipif(not REAL.exists(), reason="needs ckplus48.zip")
def test_the_real_set():
    dataset = load_dataset(str(REAL))
    assert [len(found) for found in check_subjects(dataset)] == [94, 12, 12]
    counts = sum(np.bincount(split.labels, minlength=7) for split in dataset.splits.values())
    assert dict(zip(dataset.labels, counts.tolist(), strict=True)) == {
        "angry": 135, "disgust": 177, "fear": 75, "happy": 207, "sad": 84, "surprise": 249, "contempt": 54,
    }  # fmt: skip
    assert all(np.bincount(split.labels, minlength=7).all() for split in dataset.splits.values())
