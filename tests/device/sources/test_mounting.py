"""The camera as it hangs: what --rotate, --flip, --size, --fps and --roi make of frames, whatever delivers them."""

import itertools
import sys
import types

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_edge.device.frame import frame_from_bgr, frame_to_bgr, split_planes
from fer_edge.device.sources import mounted, open_source
from fer_edge.device.sources.base import Source
from fer_edge.device.sources.mounting import Mounting, parse_roi, parse_size
from fer_edge.device.sources.webcam import WebcamSource
from fer_edge.errors import ConfigError
from tests.device.sources.http_camera import http_camera, jpeg, send_image


@pytest.fixture(scope="module")
def picture():
    """Blocks of 2 x 2 pixels, so that chroma is exact."""
    small = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    return small.repeat(2, axis=0).repeat(2, axis=1)


class Film(Source):
    """Frames at the given times."""

    name, live = "film", True

    def __init__(self, picture, times=(0.0,)):
        self._picture, self._times, self.opened, self.closed = picture, times, 1, False

    def __iter__(self):
        for index, time in enumerate(self._times):
            yield frame_from_bgr(self._picture, time, index)

    def reopen(self):
        again = Film(self._picture, self._times)
        again.opened = self.opened + 1
        return again

    def close(self):
        self.closed = True


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_frames_are_turned_clockwise_and_then_mirrored(picture, rotate, flip):
    wanted = np.rot90(picture, -rotate // 90)
    wanted = wanted[:, ::-1] if flip else wanted
    (frame,) = mounted(Film(picture), Mounting(rotate, flip))
    same = frame_from_bgr(np.ascontiguousarray(wanted))
    for plane in ("y", "cb", "cr"):
        np.testing.assert_array_equal(getattr(frame, plane), getattr(same, plane))
    assert (frame.width, frame.height) == (same.width, same.height)


def test_a_part_is_that_of_the_turned_frame(picture):
    mounting = Mounting(rotate=90, roi=(0.0, 0.5, 0.5, 0.5))
    (frame,) = mounted(Film(picture), mounting)
    turned = np.rot90(picture, -1)
    np.testing.assert_array_equal(frame.y, frame_from_bgr(np.ascontiguousarray(turned)).y[32:, :24])
    assert (frame.width, frame.height) == (24, 32)


def test_only_what_is_larger_than_asked_for_is_shrunk_and_keeps_its_proportions(picture):
    (frame,) = mounted(Film(picture), Mounting(size=(32, 32)))
    assert (frame.width, frame.height) == (32, 24)
    (frame,) = mounted(Film(picture), Mounting(size=(640, 480)))
    assert (frame.width, frame.height) == (64, 48)
    (frame,) = mounted(Film(picture), Mounting(rotate=90, size=(32, 24)))  # the camera's size, before it is turned
    assert (frame.width, frame.height) == (24, 32)


@given(
    st.integers(1, 41),
    st.integers(1, 41),
    st.sampled_from([0, 90, 180, 270]),
    st.tuples(*[st.floats(0, 0.99)] * 2, *[st.floats(0.01, 1)] * 2),
)
def test_any_frame_and_any_part_give_a_frame(width, height, rotate, roi):
    left, top, across, down = roi
    roi = (left, top, min(across, 1 - left), min(down, 1 - top))
    frame = frame_from_bgr(np.zeros((max(height, 2), max(width, 2), 3), np.uint8))
    made = Mounting(rotate, True, (16, 16), None, roi).applied(frame)
    assert made.y.shape == (made.height, made.width)
    assert made.cb.shape == made.cr.shape == (made.height // 2, made.width // 2)
    assert frame_to_bgr(made).size


def test_planes_in_a_cameras_buffer_can_be_turned(picture):
    wanted = frame_from_bgr(picture)
    for layout in ("YUV420", "NV12"):
        buffer = np.zeros(64 * 48 * 2, np.uint8)
        y, cb, cr = split_planes(buffer, layout, 64, 48, 64)
        y[:], cb[:], cr[:] = wanted.y, wanted.cb, wanted.cr
        frame = type(wanted)(y, cb, cr, 0.0, 0, 64, 48)
        for mounting in (Mounting(180, size=(32, 32)), Mounting(90, True, roi=(0, 0, 0.5, 0.5))):
            made, same = mounting.applied(frame), mounting.applied(wanted)
            np.testing.assert_array_equal(made.cb, same.cb)
            np.testing.assert_array_equal(made.y, same.y)


def test_frames_beyond_the_rate_are_left_out_and_no_others(picture):
    fast = [number / 30 for number in range(60)]
    assert len(list(mounted(Film(picture, fast), Mounting(fps=10)))) == 20
    unpunctual = [number / 10 + (0.02 if number % 2 else 0) for number in range(20)]
    assert len(list(mounted(Film(picture, unpunctual), Mounting(fps=10)))) == 20


def test_a_camera_that_comes_back_hangs_as_before(picture):
    source = mounted(Film(picture), Mounting(rotate=180))
    again = source.reopen()
    np.testing.assert_array_equal(next(iter(again)).y, frame_from_bgr(picture).y[::-1, ::-1])
    source.close()
    assert source._source.closed


def test_what_is_not_asked_for_costs_nothing(picture):
    film = Film(picture)
    assert mounted(film, Mounting()) is film


def test_a_webcam_is_asked(monkeypatch):
    asked = {}

    class Camera:
        def __init__(self, *which):
            pass

        isOpened = read = release = lambda self, *_: True  # noqa: N815
        get = lambda self, key: 15.0  # noqa: E731
        set = lambda self, key, value: asked.update({key: value})  # noqa: E731

    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    source = open_source("0", Mounting(size=(1280, 720), fps=15))
    assert isinstance(source._source, WebcamSource)
    assert asked == {cv2.CAP_PROP_FRAME_WIDTH: 1280, cv2.CAP_PROP_FRAME_HEIGHT: 720, cv2.CAP_PROP_FPS: 15}


@pytest.mark.parametrize(
    ("mounting", "transform", "rest"),
    [
        (Mounting(rotate=180), {"hflip": True, "vflip": True}, (0, False)),
        (Mounting(flip=True), {"hflip": True, "vflip": False}, (0, False)),
        (Mounting(rotate=180, flip=True), {"hflip": False, "vflip": True}, (0, False)),
        (Mounting(rotate=90, flip=True), None, (90, True)),
        (Mounting(), None, (0, False)),
    ],
)
def test_a_raspberry_pis_camera_turns_by_itself_where_it_can(monkeypatch, mounting, transform, rest):
    asked = {}

    class Camera:
        global_camera_info = staticmethod(lambda: [{}])
        create_video_configuration = staticmethod(lambda **options: asked.update(options) or options)
        configure = start = close = staticmethod(lambda *_: None)

        @staticmethod
        def camera_configuration():
            lores = {"format": "YUV420", "size": (640, 480), "stride": 640}
            return {"lores": lores, "colour_space": types.SimpleNamespace(range="Full")}

    libcamera = types.ModuleType("libcamera")
    libcamera.ColorSpace = types.SimpleNamespace(Sycc=lambda: "sycc")
    libcamera.Transform = lambda **turns: turns
    module = types.ModuleType("picamera2")
    module.Picamera2 = Camera
    monkeypatch.setitem(sys.modules, "libcamera", libcamera)
    monkeypatch.setitem(sys.modules, "picamera2", module)
    source = open_source("picamera2", mounting)
    assert asked.get("transform") == transform
    left = getattr(source, "_mounting", Mounting())
    left = left if type(source).__name__ == "Mounted" else Mounting()
    assert (left.rotate, left.flip) == rest


def test_a_camera_of_single_images_is_turned_and_asked_as_often_as_said():
    mounting = Mounting(rotate=90, fps=20)
    with (
        http_camera(lambda handler: send_image(handler, jpeg(90, (64, 48)))) as address,
        open_source(f"{address}/snap.jpg", mounting) as source,
    ):
        frames = list(itertools.islice(source, 5))
    assert (frames[0].width, frames[0].height) == (48, 64)
    assert frames[-1].time < 1.0  # by itself it is asked twice a second


@pytest.mark.parametrize(
    ("option", "make"),
    [
        ("rotate", lambda: Mounting(rotate=45)),
        ("rotate", lambda: Mounting(rotate=True)),
        ("flip", lambda: Mounting(flip="yes")),
        ("fps", lambda: Mounting(fps=0)),
        ("fps", lambda: Mounting(fps=float("nan"))),
        ("size", lambda: parse_size("640")),
        ("size", lambda: parse_size("641x480")),
        ("size", lambda: parse_size("8x8")),
        ("size", lambda: parse_size((640, 480, 3))),
        ("roi", lambda: parse_roi("0,0,1")),
        ("roi", lambda: parse_roi("0.5,0,0.6,1")),
        ("roi", lambda: parse_roi("0,0,0,1")),
        ("roi", lambda: parse_roi("nan,0,1,1")),
        ("roi", lambda: parse_roi(3)),
    ],
)
def test_values_out_of_range_name_their_option(option, make):
    with pytest.raises(ConfigError) as error:
        make()
    assert error.value.option == option


def test_sizes_and_parts_as_they_are_written():
    assert parse_size("1280x720") == parse_size((1280, 720)) == (1280, 720)
    assert parse_roi("0.25, 0, 0.5, 1") == parse_roi([0.25, 0, 0.5, 1]) == (0.25, 0, 0.5, 1)
    assert parse_roi("0.3,0,0.7,1")
    assert parse_size(None) is parse_roi(None) is None
