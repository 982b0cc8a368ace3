"""What cannot be written is found out before the work, and never half written."""

import os

import pytest

from fer_edge.convert.output import check_writable, write_result
from fer_edge.errors import OutputError


def test_a_place_that_can_be_written_passes_and_is_left_as_it_was(tmp_path):
    check_writable(tmp_path / "model.tflite", 1000)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(OutputError, match="expected an existing folder"):
        check_writable(tmp_path / "absent" / "model.tflite", 1)


def test_a_disk_that_is_too_small(tmp_path):
    with pytest.raises(OutputError, match=r"expected 1125899906842624 KB of free space, found \d+ KB"):
        check_writable(tmp_path / "model.tflite", 1 << 60)


@pytest.mark.skipif(not os.access("/proc/self", os.F_OK), reason="needs /proc, where nobody can create a file")
def test_a_folder_that_takes_no_files():
    from pathlib import Path

    with pytest.raises(OutputError, match="cannot be written"):
        check_writable(Path("/proc/self/model.tflite"), 1)
    with pytest.raises(OutputError, match="cannot be written"):
        write_result(Path("/proc/self/model.tflite"), b"x")


def test_a_failed_write_keeps_the_old_file(tmp_path):
    target = tmp_path / "model.tflite"
    target.mkdir()  # a rename onto a folder fails at the last moment
    with pytest.raises(OutputError, match="expected a file to write"):
        write_result(target, b"new")
    assert list(tmp_path.iterdir()) == [target]
