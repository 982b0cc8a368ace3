import threading
import time

import pytest

from fer_edge.device.sources import Source
from fer_edge.device.sources import grabber as grabber_module
from fer_edge.device.sources.grabber import FrameGrabber
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
    with FrameGrabber(camera, never) as grabber:
        frames = iter(grabber)
        camera.go.release()
        assert next(frames).index == 0
        camera.go.release(4)
        wait_for(lambda: grabber.captured.dropped == 3)
        assert next(frames).index == 4
        camera.go.release()
        assert next(frames).index == 5
        assert list(frames) == []
    assert grabber.captured.dropped == 3


def test_no_picture_is_delivered_twice(grey_frame):
    camera = Camera([grey_frame(0), grey_frame(1)])
    with FrameGrabber(camera, never) as grabber:
        camera.go.release()
        frames = iter(grabber)
        next(frames)
        threading.Timer(0.05, camera.go.release).start()
        assert next(frames).index == 1


def test_the_last_picture_comes_before_the_error(grey_frame):
    camera = Camera([grey_frame(0)], SourceError("unplugged"))
    with FrameGrabber(camera, never) as grabber:
        camera.go.release()
        wait_for(lambda: grabber._worker.ended)
        frames = iter(grabber)
        assert next(frames).index == 0
        with pytest.raises(SourceError, match="unplugged"):
            next(frames)


def test_waiting_ends_when_asked(grey_frame):
    stopping = []
    camera = Camera([grey_frame()])
    with FrameGrabber(camera, lambda: bool(stopping)) as grabber:
        threading.Timer(0.05, lambda: stopping.append(True)).start()
        assert list(grabber) == []
        camera.go.release()


def test_a_camera_that_hangs_is_given_up(grey_frame, monkeypatch):
    monkeypatch.setattr(grabber_module, "FIRST_FRAME_TIMEOUT_S", 0.2)
    camera = Camera([grey_frame()])
    with FrameGrabber(camera, never) as grabber:
        with pytest.raises(SourceError, match="test camera: no picture for"):
            next(iter(grabber))
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
    monkeypatch.setattr(grabber_module, "SILENCE_TIMEOUT_S", 0.3)
    monkeypatch.setattr(grabber_module, "BACK_OFF_S", (0.02, 0.05))


def all_frames(grabber):
    frames = list(grabber)
    indices, times = [f.index for f in frames], [f.time for f in frames]
    assert indices == sorted(set(indices))
    assert times == sorted(times)
    return frames


def test_a_camera_that_vanishes_is_opened_again(grey_frame, quick, caplog):
    gone = SourceError("unplugged")
    camera = Unsteady(grey_frame, [(5, gone), SourceError("no camera answers"), gone, (5, gone), (5, None)])
    with FrameGrabber(camera, never) as grabber:
        frames = all_frames(grabber)
        assert grabber.captured.restarts == 2
        assert grabber.captured.frames == 15 == len(frames) + grabber.captured.dropped
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
    with FrameGrabber(camera, never) as grabber:
        assert all_frames(grabber)[-1].index == 9


def test_a_camera_that_falls_silent_is_opened_again(grey_frame, quick, caplog):
    awake = threading.Event()
    camera = Unsteady(grey_frame, [(3, awake), (4, None)])
    with FrameGrabber(camera, never) as grabber:
        frames = all_frames(grabber)
        assert grabber.captured.restarts == 1
    assert frames[-1].index == 6
    assert frames[-1].time - frames[0].time > 0.3  # the time of silence counts
    assert "unsteady camera: no picture for 0.3 seconds" in caplog.text
    awake.set()


def test_a_camera_that_never_worked_is_an_error(grey_frame, quick):
    camera = Unsteady(grey_frame, [(0, SourceError("broken")), (5, None)])
    with FrameGrabber(camera, never) as grabber, pytest.raises(SourceError, match="broken"):
        list(grabber)


def test_waiting_for_a_camera_ends_when_asked(grey_frame, quick):
    gone = SourceError("unplugged")
    camera = Unsteady(grey_frame, [(2, gone)] + [gone] * 1000)
    since = time.monotonic()
    with FrameGrabber(camera, lambda: time.monotonic() - since > 0.5) as grabber:
        all_frames(grabber)
    assert time.monotonic() - since < 3


def test_signs_of_life_go_on_while_a_camera_is_away(grey_frame, quick):
    signs, gone = [], SourceError("unplugged")
    camera = Unsteady(grey_frame, [(2, gone)] + [gone] * 1000)
    since = time.monotonic()
    with FrameGrabber(
        camera, lambda: time.monotonic() - since > 0.6, lambda silent_s: signs.append(time.monotonic())
    ) as grabber:
        all_frames(grabber)
    assert max(signs) - since > 0.4


def test_signs_of_life_end_where_opening_hangs(grey_frame, quick, monkeypatch):
    monkeypatch.setattr(grabber_module, "REOPEN_TIMEOUT_S", 0.3)
    signs, awake = [], threading.Event()

    class Hanging(Unsteady):
        def reopen(self):
            awake.wait(10)
            raise SourceError("still nothing")

    camera = Hanging(grey_frame, [(2, SourceError("unplugged"))])
    since = time.monotonic()
    with FrameGrabber(
        camera, lambda: time.monotonic() - since > 1, lambda silent_s: signs.append(time.monotonic())
    ) as grabber:
        all_frames(grabber)
        awake.set()
    assert 0 < max(signs) - since < 0.7


def test_no_sign_of_life_before_the_first_picture(grey_frame):
    signs, since = [], time.monotonic()
    camera = Camera([grey_frame()])
    waiting = FrameGrabber(camera, lambda: time.monotonic() - since > 0.3, lambda silent_s: signs.append(1))
    with waiting as grabber:
        assert list(grabber) == []
        camera.go.release()
    assert signs == []


class Hanging(Unsteady):
    """Its first opening delivers two frames, hangs until `awake`, and then does as `late` says."""

    def __init__(self, grey_frame, story, awake=None, late=None):
        super().__init__(grey_frame, story)
        self.awake, self.late, self.woken = awake, late, threading.Event()

    def __iter__(self):
        yield from super().__iter__()
        if self.awake:
            assert self.awake.wait(20)
            try:
                yield from self.late()
            finally:
                self.woken.set()


def test_an_error_of_a_reader_that_was_left_behind_is_nobodys(grey_frame, quick):
    """It hung, was replaced, and failed later than the one in its place works: the run ends in good order."""
    awake, over = threading.Event(), threading.Event()

    def fail():
        awake.wait()
        raise RuntimeError("the driver lost its device")
        yield

    camera = Hanging(grey_frame, [(2, None), (10, over)], awake, fail)
    stopping = []
    with FrameGrabber(camera, lambda: bool(stopping)) as grabber:
        for frame in grabber:
            if grabber.captured.restarts and frame.index > 5:
                awake.set()
                assert camera.woken.wait(5)
                time.sleep(0.05)
                stopping.append(True)
        assert grabber.captured.restarts == 1
        over.set()
    assert camera.closed


def test_a_frame_of_a_reader_that_was_left_behind_comes_too_late(grey_frame, quick):
    """It arrives in the very moment in which the loop decides that the camera is silent."""
    awake = threading.Event()
    camera = Hanging(grey_frame, [(2, None), (3, None)], awake, lambda: iter([grey_frame(777, 7.0)]))
    latest = []

    def stop():
        # Asked right before that decision, while the loop has the lock.
        if latest and time.monotonic() - latest[-1] > 0.25 and not awake.is_set():
            awake.set()
            time.sleep(0.1)
        return False

    with FrameGrabber(camera, stop) as grabber:
        indices = []
        for frame in grabber:
            indices.append(frame.index)
            latest.append(time.monotonic())
    assert indices[-1] == 4
    assert 777 not in indices
    assert grabber.captured.frames == 5


def test_damaged_frames_are_counted_over_all_openings(grey_frame, quick):
    class Damaged(Unsteady):
        def __iter__(self):
            self.skipped += 3
            yield from super().__iter__()

    gone = SourceError("unplugged")
    camera = Damaged(grey_frame, [(5, gone), (5, gone), (5, None)])
    with FrameGrabber(camera, never) as grabber:
        seen = [grabber.captured.skipped for _ in grabber]
    assert seen == sorted(seen)
    assert grabber.captured.skipped == 9


@pytest.mark.parametrize("frames", [0, 3])
def test_a_reader_that_dies_ends_the_run_with_one_line(grey_frame, quick, frames):
    camera = Unsteady(grey_frame, [(frames, ValueError("buffer\nof 3 bytes"))])
    with (
        FrameGrabber(camera, never) as grabber,
        pytest.raises(SourceError, match=r"unsteady camera: its pictures cannot be read .* \(ValueError: buffer of 3"),
    ):
        list(grabber)


def test_a_reader_that_dies_while_opening_again_ends_the_run_with_one_line(grey_frame, quick):
    camera = Unsteady(grey_frame, [(3, SourceError("unplugged")), ValueError("no driver")])
    with FrameGrabber(camera, never) as grabber, pytest.raises(SourceError, match="ValueError: no driver"):
        list(grabber)


def test_a_camera_that_cannot_be_opened_again_is_an_error(grey_frame, quick):
    class Once(Unsteady):
        def reopen(self):
            return None

    camera = Once(grey_frame, [(3, SourceError("unplugged"))])
    with FrameGrabber(camera, never) as grabber, pytest.raises(SourceError, match="unplugged"):
        list(grabber)


def test_what_was_opened_while_all_ended_is_closed(grey_frame, quick, monkeypatch):
    monkeypatch.setattr(grabber_module, "_STOP_TIMEOUT_S", 0.1)
    inside, go, opened = threading.Event(), threading.Event(), []

    class Late(Unsteady):
        def reopen(self):
            inside.set()
            assert go.wait(20)
            opened.append(super().reopen())
            return opened[0]

    camera = Late(grey_frame, [(2, SourceError("unplugged")), (5, None)])
    with FrameGrabber(camera, inside.is_set) as grabber:
        list(grabber)
    go.set()
    wait_for(lambda: opened and opened[0].closed)


def test_the_loop_hears_for_how_long_nothing_came(grey_frame, quick):
    gone, silences = SourceError("unplugged"), []
    camera = Unsteady(grey_frame, [(2, gone)] + [gone] * 1000)
    since = time.monotonic()
    with FrameGrabber(camera, lambda: time.monotonic() - since > 0.6, silences.append) as grabber:
        list(grabber)
    assert silences == sorted(silences)
    assert 0.3 < silences[-1] < 0.8
