"""JAFFE: expressions and subjects from the file names, no subject in two splits."""

import numpy as np
import pytest

from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS
from fer_edge.train.data.load import load_dataset
from tests.train.data.trees import put

CODES = ["AN", "DI", "FE", "HA", "SA", "SU", "NE"]
PEOPLE = ["KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM"]


@pytest.fixture
def jaffe(tmp_path):
    """A photo of each expression of each person; its grey says which."""
    for person, name in enumerate(PEOPLE):
        for code, letters in enumerate(CODES):
            put(
                tmp_path,
                f"jaffe/{name}.{letters}1.{person * 7 + code}.tiff",
                np.full((64, 64), 20 * person + code, np.uint8),
            )
    (tmp_path / "jaffe/README_FIRST.txt").write_text("terms\n")
    return tmp_path / "jaffe"


def test_expressions_and_subjects(jaffe):
    dataset = load_dataset(str(jaffe))
    assert dataset.labels == EXPRESSIONS
    assert {name: len(split) for name, split in dataset.splits.items()} == {
        "Training": 56, "PublicTest": 7, "PrivateTest": 7,
    }  # fmt: skip
    people = []
    for split in dataset.splits.values():
        person, code = np.divmod(split.images[:, 0, 0].astype(int), 20)
        assert (split.labels == code).all()
        assert (split.subjects == person).all()
        people.append(set(person.tolist()))
    assert sum(map(len, people)) == len(set.union(*people)) == 10
    assert "10 subjects" in dataset.notes[0]


def test_a_picture_of_another_name_makes_it_another_tree(jaffe):
    put(jaffe, "holiday.png", np.zeros((64, 64), np.uint8))
    with pytest.raises(DataError, match="or the folders train/<class> and test/<class>"):
        load_dataset(str(jaffe))
