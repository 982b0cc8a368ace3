import sys
import threading
import types
from concurrent.futures import CancelledError, Future

import numpy as np
import pytest

from fer_edge.device.frame import frame_from_bgr
from fer_edge.device.sources import grabber, picamera2
from fer_edge.device.sources.mounting import Mounting
from fer_edge.device.sources.picamera2 import Picamera2Source
from fer_edge.errors import MissingExtraError, SourceError


class Request:
    """A camera buffer on loan."""

    def __init__(self, camera, buffer):
        self._camera, self._buffer = camera, buffer
        camera.lent += 1

    def make_buffer(self, name):
        assert name == "lores"
        if self._buffer is None:
            raise RuntimeError("Stream 'lores' is not defined")
        return self._buffer.copy()

    def release(self):
        self._camera.lent -= 1


class Camera:
    """Stands in for the hardware: answers with a format and stride of its own, as real cameras do."""

    infos = ({"Model": "imx708"},)
    fails_with = None
    layout, stride, range = "YUV420", 704, "ColorSpace.Range.Full"
    buffer = None

    def __init__(self):
        if Camera.fails_with:
            raise Camera.fails_with
        self.lent, self.started, self.closed = 0, False, False
        self.silent, self.job, self.waits = False, Future(), []
        Camera.last = self

    @staticmethod
    def global_camera_info():
        return Camera.infos

    def create_video_configuration(self, **options):
        self.asked = options
        return options

    def configure(self, configuration):
        assert configuration is self.asked

    def camera_configuration(self):
        lores = {"format": self.layout, "size": self.asked["lores"]["size"], "stride": self.stride}
        return {"lores": lores, "colour_space": types.SimpleNamespace(range=self.range)}

    def start(self):
        self.started = True

    def capture_request(self, wait):
        assert self.started
        self.waits.append(wait)
        if self.silent:  # as a job of picamera2's that nobody finishes
            self.job.set_running_or_notify_cancel()
            return self.job.result(timeout=wait)
        return Request(self, self.buffer)

    def cancel_all_and_flush(self):
        self.job.set_exception(CancelledError())

    def close(self):
        # Like picamera2's, it stops the camera first, which waits for its turn behind all that was asked for.
        assert self.job.done() or not self.silent
        self.started, self.closed = False, True


@pytest.fixture
def camera(monkeypatch):
    kind = type("Camera", (Camera,), {})
    monkeypatch.setattr(f"{__name__}.Camera", kind)
    libcamera = types.ModuleType("libcamera")
    libcamera.ColorSpace = types.SimpleNamespace(Sycc=lambda: "sycc")
    module = types.ModuleType("picamera2")
    module.Picamera2 = kind
    monkeypatch.setitem(sys.modules, "libcamera", libcamera)
    monkeypatch.setitem(sys.modules, "picamera2", module)
    monkeypatch.setattr(picamera2, "is_installed", lambda: True)
    return kind


def packed(frame, layout, stride):
    """A camera's buffer with the planes of a frame, its rows padded with 0xEE, and a tail."""
    height, width = frame.y.shape
    luma = np.full((height, stride), 0xEE, np.uint8)
    luma[:, :width] = frame.y
    if layout == "NV12":
        chroma = np.full((height // 2, stride), 0xEE, np.uint8)
        chroma[:, 0:width:2], chroma[:, 1:width:2] = frame.cb, frame.cr
    else:
        chroma = np.full((2, height // 2, stride // 2), 0xEE, np.uint8)
        chroma[0, :, : width // 2], chroma[1, :, : width // 2] = frame.cb, frame.cr
    return np.concatenate([luma.ravel(), chroma.ravel(), np.full(4096, 0xEE, np.uint8)])


@pytest.mark.parametrize(("layout", "stride"), [("YUV420", 256), ("YUV420", 320), ("NV12", 256), ("NV12", 288)])
def test_the_configured_format_and_stride_are_read_back(camera, portrait, layout, stride):
    wanted = frame_from_bgr(portrait)
    camera.layout, camera.stride, camera.buffer = layout, stride, packed(wanted, layout, stride)
    with Picamera2Source(Mounting(size=(256, 288))) as source:
        assert source.live
        frames = iter(source)
        first, second = next(frames), next(frames)
    np.testing.assert_array_equal(first.y, wanted.y)
    np.testing.assert_array_equal(first.cb, wanted.cb)
    np.testing.assert_array_equal(first.cr, wanted.cr)
    assert (first.index, second.index) == (0, 1)
    assert first.time == 0 <= second.time
    assert (first.width, first.height) == (256, 288)


def test_asks_for_full_range_and_gives_buffers_back(camera, portrait):
    camera.layout, camera.stride, camera.buffer = "YUV420", 256, packed(frame_from_bgr(portrait), "YUV420", 256)
    with Picamera2Source(Mounting(size=(256, 288), fps=15.0)) as source:
        frames = iter(source)
        held = [next(frames) for _ in range(9)]
        assert camera.last.lent == 0
    assert len(held) == 9
    assert camera.last.asked["colour_space"] == "sycc"
    assert camera.last.asked["controls"] == {"FrameRate": 15.0}
    assert camera.last.closed
    assert not camera.last.started


def test_a_buffer_is_given_back_even_if_it_cannot_be_read(camera):
    with Picamera2Source() as source, pytest.raises(RuntimeError):
        next(iter(source))
    assert camera.last.lent == 0


def test_limited_range_is_expanded(camera):
    camera.range, camera.stride = "ColorSpace.Range.Limited", 4
    frame = frame_from_bgr(np.zeros((4, 4, 3), np.uint8))
    frame.y[:] = 235
    camera.buffer = packed(frame, "YUV420", 4)
    with Picamera2Source(Mounting(size=(4, 4))) as source:
        assert (next(iter(source)).y == 255).all()


def test_an_unknown_format_is_refused_and_the_camera_freed(camera):
    camera.layout = "RGB888"
    with pytest.raises(SourceError, match="YUV420 or NV12, found RGB888"):
        Picamera2Source()
    assert camera.last.closed


@pytest.fixture
def running(camera, portrait):
    """A camera that has delivered its first frame, and its frames."""
    camera.layout, camera.stride, camera.buffer = "YUV420", 256, packed(frame_from_bgr(portrait), "YUV420", 256)
    source = Picamera2Source(Mounting(size=(256, 288)))
    frames = iter(source)
    next(frames)
    yield source, frames
    source.close()


def test_a_camera_that_falls_silent_says_so_by_itself(running, camera, monkeypatch):
    monkeypatch.setattr(picamera2, "REQUEST_TIMEOUT_S", 0.1)
    source, frames = running
    camera.last.silent = True
    with pytest.raises(SourceError, match=r"picamera2: no picture for 0\.1 seconds"):
        next(frames)
    assert camera.last.waits == [15.0, 0.1]
    source.close()
    assert camera.last.closed


def test_closing_wakes_who_waits_for_a_silent_camera(running, camera):
    source, frames = running
    camera.last.silent = True
    ended = []
    waiting = threading.Thread(target=lambda: ended.extend(frames) or ended.append("ended"))
    waiting.start()
    while len(camera.last.waits) < 2:
        waiting.join(0.01)
    source.close()
    waiting.join(5)
    assert ended == ["ended"]
    assert camera.last.closed


def test_a_camera_is_left_to_itself_for_less_time_than_its_thread():
    assert picamera2.REQUEST_TIMEOUT_S < grabber.SILENCE_TIMEOUT_S


def test_no_camera(camera):
    camera.infos = ()
    with pytest.raises(SourceError, match="no camera is connected"):
        Picamera2Source()


def test_a_camera_in_use(camera):
    camera.fails_with = RuntimeError("Camera __init__ sequence did not complete.")
    with pytest.raises(SourceError, match=r"cannot be opened \(Camera __init__ sequence"):
        Picamera2Source()


def test_a_camera_that_does_not_start(camera, monkeypatch):
    def refuse(self):
        raise RuntimeError("Failed to start camera")

    monkeypatch.setattr(camera, "start", refuse)
    with pytest.raises(SourceError, match="refuses to start"):
        Picamera2Source()
    assert camera.last.closed


def test_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "libcamera", None)
    with pytest.raises(MissingExtraError, match=r"sudo apt install python3-picamera2.*--system-site-packages"):
        Picamera2Source()


def test_a_numpy_that_does_not_fit_is_named(camera, monkeypatch):
    def broken(name):
        raise ValueError("numpy.dtype size changed, may indicate binary incompatibility")

    monkeypatch.setattr(picamera2.importlib, "import_module", broken)
    with pytest.raises(MissingExtraError, match=r"numpy\.dtype size changed.*system's packages and numpy"):
        Picamera2Source()
