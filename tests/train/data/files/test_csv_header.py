"""First lines that are no header end in one line."""

import pytest

from fer_edge.errors import DataError
from fer_edge.train.data.ferplus import read_votes
from fer_edge.train.data.readers.fer_csv import read_fer_csv
from fer_edge.train.data.readers.fer_download import find_fer_csv


def read_table(path):
    return read_fer_csv(find_fer_csv(path), lambda count: None)


@pytest.mark.parametrize("read", [read_votes, read_table])
@pytest.mark.parametrize(
    "first",
    ["x" * 140_000, "emotion," + "p" * 140_000 + ",Usage", '"' + "y" * 200_000, "a\0b,c", '"emotion",pix"els,U'],
)
def test_a_first_line_that_is_no_header_is_one_line(tmp_path, read, first):
    path = tmp_path / "fer2013.csv"
    path.write_text(first + "\n0,1 2 3,Training\n")
    with pytest.raises(DataError) as refused:
        read(path)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500
