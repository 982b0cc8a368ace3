import json
import os
import shutil
from collections import namedtuple

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.device.frame import frame_from_bgr
from fer_edge.device.outputs import video as video_module
from fer_edge.device.outputs.draw import BOX, draw_faces
from fer_edge.device.outputs.jsonl import JsonLines
from fer_edge.device.outputs.video import CODECS, VideoOutput
from fer_edge.device.outputs.window import Window
from fer_edge.device.results import FrameResult, make_face
from fer_edge.errors import OutputError
from fer_edge.preprocess import Box

LABELS = ("angry", "happy")


def face(box=(10, 12, 20, 20)):
    return make_face(1, Box(*box), LABELS, np.array([0.25, 0.75], np.float32))


def result(index=0, size=(64, 48), faces=None):
    picture = np.full((size[1], size[0], 3), 40 + index, np.uint8)
    return FrameResult(
        index, index / 10, (face(),) if faces is None else faces, {"total": 0.001}, frame_from_bgr(picture)
    )


def test_a_line_a_picture_at_once(tmp_path):
    path = tmp_path / "out.jsonl"
    with JsonLines(str(path)) as output:
        for index in range(3):
            output.write(result(index))
            assert len(path.read_text().splitlines()) == index + 1
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["frame"] for line in lines] == [0, 1, 2]
    assert lines[0]["faces"] == [
        {"id": 1, "box": [10, 12, 20, 20], "label": "happy", "score": 0.75, "scores": {"angry": 0.25, "happy": 0.75}}
    ]


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(OutputError, match=r"no/out\.jsonl: cannot be written \(No such file"):
        JsonLines(str(tmp_path / "no" / "out.jsonl"))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_a_full_disk():
    with JsonLines("/dev/full") as output, pytest.raises(OutputError, match=r"/dev/full: cannot be written \(No space"):
        output.write(result())


class AlmostFull:
    """A file on a disk with room for so many bytes."""

    def __init__(self, file, room):
        self._file, self._room = file, room

    def write(self, data):
        if not self._room:
            raise OSError(28, "No space left on device")
        written = self._file.write(data[: self._room])
        self._room -= written
        return written

    def __getattr__(self, name):
        return getattr(self._file, name)


@settings(max_examples=25, deadline=None)
@given(room=st.integers(0, 700))
def test_when_the_disk_fills_up_the_lines_before_are_whole(room, tmp_path_factory):
    path = tmp_path_factory.mktemp("disk") / "out.jsonl"
    with JsonLines(str(path)) as output:
        output._file = AlmostFull(output._file, room)
        with pytest.raises(OutputError, match="lines before are whole"):
            for index in range(9):
                output.write(result(index))
    text = path.read_text()
    line = len(json.dumps(result(0).to_dict(), separators=(",", ":"))) + 1
    assert len(text) == room // line * line
    assert [json.loads(row)["frame"] for row in text.splitlines()] == list(range(room // line))


def read_video(path):
    capture, pictures = cv2.VideoCapture(str(path)), []
    while (got := capture.read())[0]:
        pictures.append(got[1])
    return pictures, capture.get(cv2.CAP_PROP_FPS)


@pytest.mark.parametrize("ending", CODECS)
def test_the_video_holds_every_picture_with_its_faces(tmp_path, ending):
    path = tmp_path / f"out{ending}"
    with VideoOutput(path, 12.0) as output:
        for index in range(9):
            output.write(result(index, (160, 120), [face((60, 50, 40, 40))]))
    pictures, fps = read_video(path)
    assert len(pictures) == 9
    assert fps == pytest.approx(12, abs=0.1)
    assert pictures[0].shape == (120, 160, 3)
    assert pictures[4][50, 62:98, 1].mean() > 130  # the upper edge of the box, green on dark grey
    assert pictures[4][100, 62:98, 1].mean() < 70


def test_pictures_of_another_size_are_fitted(tmp_path):
    path = tmp_path / "out.mkv"
    with VideoOutput(path, None) as output:
        output.write(result(0, (160, 120)))
        output.write(result(1, (99, 77)))
    pictures, _ = read_video(path)
    assert [p.shape for p in pictures] == [(120, 160, 3)] * 2


def test_another_ending_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(OutputError, match=r"\.webm: expected a name ending in \.avi, \.mkv, \.mp4"):
        VideoOutput(tmp_path / "out.webm", 25)
    assert list(tmp_path.iterdir()) == []


def test_a_video_folder_that_does_not_exist(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        VideoOutput(tmp_path / "no" / "out.mkv", 25)


def test_a_video_that_cannot_be_encoded(tmp_path):
    with VideoOutput(tmp_path / "out.mkv", 25) as output, pytest.raises(OutputError, match="1x1"):
        output.write(result(0, (1, 1), []))


def test_a_full_disk_ends_the_video_in_time(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    with VideoOutput(tmp_path / "out.mkv", 25) as output:
        output.write(result(0, (160, 120)))
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1, 1, video_module.RESERVE - 1))
        with pytest.raises(OutputError, match="disk is full"):
            output.write(result(1, (160, 120)))
    assert len(read_video(tmp_path / "out.mkv")[0]) == 1


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 60), st.integers(0, 60), st.integers(1, 99))
def test_drawing_works_on_any_picture(width, height, x, y, side):
    picture = np.zeros((height, width, 3), np.uint8)
    assert draw_faces(picture, [face((x, y, side, side))]) is picture


@pytest.mark.parametrize(
    "box", [(200, 100, 80, 80), (0, 0, 80, 80), (560, 0, 80, 80), (560, 400, 80, 80), (0, 0, 640, 480)]
)
def test_box_and_label_are_drawn_inside(box):
    picture = draw_faces(np.zeros((480, 640, 3), np.uint8), [face(box)])
    x, y, w, h = box
    assert tuple(picture[y + h // 2, x]) == BOX
    drawn = (picture == BOX).all(axis=2)
    assert drawn.sum() > 2 * (w + h) + 1000  # and the label's ground
    outside = drawn.copy()
    outside[y : y + h, x : x + w] = False
    if box != (0, 0, 640, 480):
        assert outside.sum() > 1000


HEADLESS = "GUI:                           NONE" in cv2.getBuildInformation()


@pytest.mark.skipif(not HEADLESS, reason="this OpenCV has windows")
def test_a_window_needs_an_opencv_that_has_them():
    with pytest.raises(OutputError, match="headless build"):
        Window()


@pytest.mark.skipif(HEADLESS, reason="this OpenCV is a headless build")
@pytest.mark.parametrize(("display", "named"), [("", "DISPLAY names none"), (":4711", ":4711 answers as none")])
def test_a_window_needs_a_desktop(monkeypatch, display, named):
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(OutputError, match=named):
        Window()
