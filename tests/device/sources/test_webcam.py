import cv2
import numpy as np
import pytest

from fer_edge.device.sources import webcam
from fer_edge.device.sources.mounting import Mounting
from fer_edge.device.sources.webcam import WebcamSource
from fer_edge.errors import SourceError


class Camera:
    """Stands in for `cv2.VideoCapture`, as no machine that tests has a camera; plays what it is given."""

    def __init__(self, *answers):
        self._answers, self.released, self.asked, self.opened = iter(answers), 0, {}, []

    def isOpened(self):  # noqa: N802
        return True

    def set(self, key, value):
        self.asked[key] = value

    def get(self, key):
        return 30.0

    def read(self, target=None):
        return next(self._answers)

    def release(self):
        self.released += 1


def picture(level, size=(64, 48)):
    return True, np.full((size[1], size[0], 3), level, np.uint8)


BROKEN = (False, None)
EMPTY = (True, np.empty((0, 0, 3), np.uint8))


@pytest.fixture
def plugged(monkeypatch):
    def plug(*answers):
        camera = Camera(*answers)
        monkeypatch.setattr(webcam.cv2, "VideoCapture", lambda *which: camera.opened.append(which) or camera)
        return camera

    return plug


def test_damaged_pictures_are_left_out_and_counted(plugged, monkeypatch):
    monkeypatch.setattr(webcam, "FAILING", 0.05)
    plugged(picture(10), BROKEN, EMPTY, picture(20), picture(30, (80, 60)), *[BROKEN] * 1000)
    source, frames = WebcamSource(0), []
    with pytest.raises(SourceError, match="webcam 0: it stopped delivering pictures after 3"):
        for frame in source:
            frames.append(frame)
            skipped = source.skipped
    assert [int(f.y[0, 0]) for f in frames] == [10, 20, 30]
    assert [f.index for f in frames] == [0, 1, 2]
    assert [f.width for f in frames] == [64, 64, 80]
    assert skipped == 2


def test_it_can_be_opened_again(plugged):
    first = plugged()
    source = WebcamSource(0, Mounting(size=(320, 240), fps=15))
    source.close()
    second = plugged(picture(7))
    again = source.reopen()
    assert next(iter(again)).y[0, 0] == 7
    assert first.released == 1
    assert first.asked == second.asked
    wanted = {cv2.CAP_PROP_FRAME_WIDTH: 320, cv2.CAP_PROP_FRAME_HEIGHT: 240, cv2.CAP_PROP_FPS: 15}
    assert second.asked == wanted
    assert first.asked == second.asked != {}


def test_a_lasting_name_is_the_camera_that_it_leads_to_at_the_time(plugged, tmp_path):
    link = tmp_path / "usb-Some_Camera-video-index0"
    link.symlink_to("/dev/video2")
    camera = plugged()
    source = WebcamSource(link)
    assert (source.name, source.live, camera.opened) == (str(link), True, [(2,)])
    assert camera.asked  # a size
    source.close()
    link.unlink()
    link.symlink_to("/dev/video4")  # plugged in again
    again = plugged(picture(7))
    assert next(iter(source.reopen())).y[0, 0] == 7
    assert again.opened == [(4,)]


def test_a_device_of_another_name_is_opened_as_a_camera(plugged, tmp_path):
    camera = plugged()
    WebcamSource(tmp_path / "door")
    assert camera.opened == [(str(tmp_path / "door"), cv2.CAP_V4L2)]
