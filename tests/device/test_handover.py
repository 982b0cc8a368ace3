import threading
import time

import pytest

from fer_edge.device import handover
from fer_edge.device.handover import LatestFrame
from fer_edge.device.sources import Source
from fer_edge.errors import SourceError


class Camera(Source):
    """Delivers a picture whenever it is told to."""

    name, live = "test camera", True

    def __init__(self, frames, error=None):
        self._frames, self._error = frames, error
        self.go = threading.Semaphore(0)

    def __iter__(self):
        for frame in self._frames:
            self.go.acquire()
            yield frame
        if self._error:
            raise self._error


def wait_for(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def never():
    return False


def test_a_slow_worker_gets_the_latest_and_the_rest_is_counted(grey_frame):
    camera = Camera([grey_frame(index) for index in range(6)])
    with LatestFrame(camera, never) as latest:
        frames = iter(latest)
        camera.go.release()
        assert next(frames).index == 0
        camera.go.release(4)
        wait_for(lambda: latest.dropped == 3)
        assert next(frames).index == 4
        camera.go.release()
        assert next(frames).index == 5
        assert list(frames) == []
    assert latest.dropped == 3


def test_no_picture_is_delivered_twice(grey_frame):
    camera = Camera([grey_frame(0), grey_frame(1)])
    with LatestFrame(camera, never) as latest:
        camera.go.release()
        frames = iter(latest)
        next(frames)
        threading.Timer(0.05, camera.go.release).start()
        assert next(frames).index == 1


def test_the_last_picture_comes_before_the_error(grey_frame):
    camera = Camera([grey_frame(0)], SourceError("unplugged"))
    with LatestFrame(camera, never) as latest:
        camera.go.release()
        wait_for(lambda: latest._ended)
        frames = iter(latest)
        assert next(frames).index == 0
        with pytest.raises(SourceError, match="unplugged"):
            next(frames)


def test_waiting_ends_when_asked(grey_frame):
    stopping = []
    camera = Camera([grey_frame()])
    with LatestFrame(camera, lambda: bool(stopping)) as latest:
        threading.Timer(0.05, lambda: stopping.append(True)).start()
        assert list(latest) == []
        camera.go.release()


def test_a_camera_that_hangs_is_given_up(grey_frame, monkeypatch):
    monkeypatch.setattr(handover, "STALLED", 0.2)
    camera = Camera([grey_frame()])
    with LatestFrame(camera, never) as latest:
        with pytest.raises(SourceError, match="test camera: no picture for"):
            next(iter(latest))
        camera.go.release()
