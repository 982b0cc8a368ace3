import os
import re

import cv2
import numpy as np
import pytest

from fer_edge.device.frame import frame_from_bgr
from fer_edge.device.outputs.snapshots import FORGOTTEN, INTERVAL, Snapshots
from fer_edge.device.results import FrameResult, make_face
from fer_edge.errors import OutputError
from fer_edge.preprocess import Box
from tests.device.making import face, result

NAME = r"\d{8}T\d{6}\.\d{3}Z-frame(\d+)-face(\d+)-([\w-]+)\.jpg"


def taken(folder):
    """(frame, face, label) of the files."""
    found = [re.fullmatch(NAME, path.name).groups() for path in folder.iterdir()]
    return sorted((int(frame), int(number), label) for frame, number, label in found)


def write(output, *moments):
    for index, (time, happy) in enumerate(moments):
        output.write(result(index, faces=[face(happy=happy)], time=time))


def test_a_picture_when_a_face_appears_and_when_it_changes(tmp_path):
    with Snapshots(tmp_path / "a" / "b") as output:
        write(output, (0, 0.9), (1, 0.8), (2, 0.1), (4, 0.2), (6, 0.9))
    assert taken(tmp_path / "a" / "b") == [(0, 1, "happy"), (2, 1, "angry"), (4, 1, "happy")]


def test_a_flickering_label_is_taken_once_per_interval(tmp_path):
    with Snapshots(tmp_path) as output:
        write(output, *((index / 100, index % 2) for index in range(300)))
    times = [frame / 100 for frame, _, _ in taken(tmp_path)]
    assert 2 <= len(times) <= 3
    assert np.diff(times).min() >= INTERVAL


def test_a_change_within_the_interval_is_taken_when_it_lasts(tmp_path):
    with Snapshots(tmp_path) as output:
        write(output, (0, 0.9), (0.5, 0.1), (0.9, 0.1), (1.1, 0.1), (2, 0.1))
    assert taken(tmp_path) == [(0, 1, "happy"), (3, 1, "angry")]


def test_each_face_has_its_own_account(tmp_path):
    with Snapshots(tmp_path) as output:
        output.write(result(0, faces=[face(number=1)]))
        output.write(result(1, faces=[face(number=1), face((40, 10, 20, 20), 2, 0.1)]))
    assert taken(tmp_path) == [(0, 1, "happy"), (1, 2, "angry")]


def test_faces_that_are_gone_are_forgotten(tmp_path):
    with Snapshots(tmp_path) as output:
        for index in range(30):
            output.write(result(index, faces=[face(number=index + 1)], time=index * FORGOTTEN / 5))
        assert len(output._seen) <= 6


def test_it_shows_the_face_with_some_margin_undrawn(tmp_path):
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[40:80, 60:100] = (30, 200, 90)
    faces = (make_face(1, Box(60, 40, 40, 40), ("../x y",), np.array([1.0], np.float32)),)
    with Snapshots(tmp_path) as output:
        output.write(FrameResult(0, 0.0, faces, {}, frame_from_bgr(picture)))
    assert taken(tmp_path) == [(0, 1, "___x_y")]
    (path,) = tmp_path.iterdir()
    jpeg = cv2.imread(str(path))
    assert jpeg.shape == (60, 60, 3)
    assert np.abs(jpeg[15:45, 15:45].astype(int) - (30, 200, 90)).max() < 20
    assert jpeg[:7].max() < 40


def test_a_label_longer_than_a_file_name(tmp_path):
    faces = (make_face(1, Box(60, 40, 40, 40), ("生" * 200,), np.array([1.0], np.float32)),)
    with Snapshots(tmp_path) as output:
        output.write(FrameResult(0, 0.0, faces, {}, frame_from_bgr(np.zeros((120, 160, 3), np.uint8))))
    assert taken(tmp_path) == [(0, 1, "生" * 40)]


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be made"):
        Snapshots(tmp_path / "file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be written"):
        Snapshots(tmp_path)


def test_a_face_that_no_jpeg_holds_ends_in_one_line(tmp_path):
    with pytest.raises(OutputError, match="cannot store pictures of"), Snapshots(tmp_path / "faces") as output:
        output.write(result(0, (66_000, 16), [face((0, 0, 65_990, 16))]))
    assert not list((tmp_path / "faces").iterdir())
