import threading
import time

import pytest

from fer_edge.device.sources import Source
from fer_edge.device.sources import grabber as handover
from fer_edge.device.sources.grabber import LatestFrame
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
    monkeypatch.setattr(handover, "FIRST", 0.2)
    camera = Camera([grey_frame()])
    with LatestFrame(camera, never) as latest:
        with pytest.raises(SourceError, match="test camera: no picture for"):
            next(iter(latest))
        camera.go.release()


class Unsteady(Source):
    """A live source that plays a part of its story each time it is opened."""

    name, live, rate = "unsteady camera", True, 100

    def __init__(self, grey_frame, story):
        self._grey_frame, self._story, self.closed = grey_frame, story, False
        self._part = story.pop(0)

    def __iter__(self):
        pictures, ending = self._part
        for index in range(pictures):
            time.sleep(0.01)
            yield self._grey_frame(index, index / self.rate)
        if isinstance(ending, Exception):
            raise ending
        if ending:
            ending.wait(10)

    def reopen(self):
        if isinstance(self._story[0], Exception):
            raise self._story.pop(0)
        return type(self)(self._grey_frame, self._story)

    def close(self):
        self.closed = True


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(handover, "STALLED", 0.3)
    monkeypatch.setattr(handover, "BACK_OFF", (0.02, 0.05))


def all_frames(latest):
    frames = list(latest)
    indices, times = [f.index for f in frames], [f.time for f in frames]
    assert indices == sorted(set(indices))
    assert times == sorted(times)
    return frames


def test_a_camera_that_vanishes_is_opened_again(grey_frame, quick, caplog):
    gone = SourceError("unplugged")
    camera = Unsteady(grey_frame, [(5, gone), SourceError("no camera answers"), gone, (5, gone), (5, None)])
    with LatestFrame(camera, never) as latest:
        frames = all_frames(latest)
        assert latest.restarts == 2
        assert latest.captured == 15 == len(frames) + latest.dropped
    assert camera.closed
    assert frames[-1].index == 14
    messages = [record.getMessage() for record in caplog.records]
    assert messages[:4] == [
        "unplugged; it is opened again",
        "no camera answers; next attempt in 0 s",
        "unplugged; next attempt in 0 s",
        "unsteady camera: opened again (restart 1)",
    ]


def test_times_go_on_where_the_camera_s_clock_is_fast(grey_frame, quick):
    class Fast(Unsteady):
        rate = 1

    camera = Fast(grey_frame, [(5, SourceError("unplugged")), (5, None)])
    with LatestFrame(camera, never) as latest:
        assert all_frames(latest)[-1].index == 9


def test_a_camera_that_falls_silent_is_opened_again(grey_frame, quick, caplog):
    awake = threading.Event()
    camera = Unsteady(grey_frame, [(3, awake), (4, None)])
    with LatestFrame(camera, never) as latest:
        frames = all_frames(latest)
        assert latest.restarts == 1
    assert frames[-1].index == 6
    assert frames[-1].time - frames[0].time > 0.3  # the time of silence counts
    assert "unsteady camera: no picture for 0.3 seconds" in caplog.text
    awake.set()


def test_a_camera_that_never_worked_is_an_error(grey_frame, quick):
    camera = Unsteady(grey_frame, [(0, SourceError("broken")), (5, None)])
    with LatestFrame(camera, never) as latest, pytest.raises(SourceError, match="broken"):
        list(latest)


def test_waiting_for_a_camera_ends_when_asked(grey_frame, quick):
    gone = SourceError("unplugged")
    camera = Unsteady(grey_frame, [(2, gone)] + [gone] * 1000)
    since = time.monotonic()
    with LatestFrame(camera, lambda: time.monotonic() - since > 0.5) as latest:
        all_frames(latest)
    assert time.monotonic() - since < 3


def test_signs_of_life_go_on_while_a_camera_is_away(grey_frame, quick):
    signs, gone = [], SourceError("unplugged")
    camera = Unsteady(grey_frame, [(2, gone)] + [gone] * 1000)
    since = time.monotonic()
    with LatestFrame(camera, lambda: time.monotonic() - since > 0.6, lambda: signs.append(time.monotonic())) as latest:
        all_frames(latest)
    assert max(signs) - since > 0.4


def test_signs_of_life_end_where_opening_hangs(grey_frame, quick, monkeypatch):
    monkeypatch.setattr(handover, "HUNG", 0.3)
    signs, awake = [], threading.Event()

    class Hanging(Unsteady):
        def reopen(self):
            awake.wait(10)
            raise SourceError("still nothing")

    camera = Hanging(grey_frame, [(2, SourceError("unplugged"))])
    since = time.monotonic()
    with LatestFrame(camera, lambda: time.monotonic() - since > 1, lambda: signs.append(time.monotonic())) as latest:
        all_frames(latest)
        awake.set()
    assert 0 < max(signs) - since < 0.7


def test_no_sign_of_life_before_the_first_picture(grey_frame):
    signs, since = [], time.monotonic()
    camera = Camera([grey_frame()])
    waiting = LatestFrame(camera, lambda: time.monotonic() - since > 0.3, lambda: signs.append(1))
    with waiting as latest:
        assert list(latest) == []
        camera.go.release()
    assert signs == []
