"""What time a frame has: of a live source that of its arrival, of a file what it stores or what is said."""

import itertools
import logging
import time

import cv2
import numpy as np
import pytest

from fer_edge.device.sources import open_source
from fer_edge.device.sources.demo import DemoSource
from fer_edge.device.sources.mounting import Mounting
from fer_edge.device.sources.stream import StreamSource
from fer_edge.device.sources.wrappers import Repeated
from fer_edge.errors import SourceError
from tests.device.sources.http_camera import http_camera, jpeg, send_stream


def test_a_slow_camera_is_not_played_faster():
    burst = 8  # FFmpeg reads the first frames while it finds out what is sent
    pauses = [0.0] * burst + [0.2, 0.2, 0.2, 1.0, 0.2]
    with http_camera(lambda handler: send_stream(handler, pauses)) as address, open_source(address) as source:
        assert source.live
        times = []
        with pytest.raises(SourceError, match="the stream ended after 13 pictures"):
            times.extend(frame.time for frame in source)
    steps = [b - a for a, b in itertools.pairwise(times)]
    assert times[0] == 0.0
    assert steps[burst - 1 :] == pytest.approx(pauses[burst:], abs=0.12)


class Sender:
    """Stands in for a connection whose frames bear the times of their sender's clock."""

    def __init__(self, stamps):
        self._stamps = iter(stamps)
        self._picture = np.full((48, 64, 3), 90, np.uint8)

    def read(self, target=None):
        self._stamp = next(self._stamps, None)
        return self._stamp is not None, self._picture

    def get(self, key):
        return self._stamp * 1000 if key == cv2.CAP_PROP_POS_MSEC else 25.0

    def release(self):
        pass


def test_a_senders_clock_that_is_set_changes_nothing():
    source = StreamSource("rtsp://127.0.0.1/cam", Sender([0.0, 0.04, 3600.0, 3600.04, -50.0]))
    times = []
    with pytest.raises(SourceError):
        times.extend(frame.time for frame in source)
    assert len(times) == 5
    assert times == sorted(times)
    assert times[-1] < 1


def test_the_live_demo_on_a_slow_machine_has_the_time_of_the_clock():
    start = time.monotonic()
    frames = iter(DemoSource((64, 48), live=True, fps=100.0))
    next(frames)
    time.sleep(0.3)
    assert next(frames).time == pytest.approx(time.monotonic() - start, abs=0.05)


@pytest.fixture
def raw(tmp_path):
    """A raw stream of 10 JPEG images, as a camera's program writes it."""
    path = tmp_path / "raw.mjpeg"
    path.write_bytes(b"".join(jpeg(20 * number) for number in range(10)))
    return path


def test_a_raw_stream_says_that_it_has_no_times(raw, caplog):
    with caplog.at_level(logging.WARNING), Repeated(open_source(str(raw))) as source:
        times = [frame.time for frame in itertools.islice(source, 15)]
    assert times[:10] == pytest.approx([number / 25 for number in range(10)])
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{raw}: a raw stream stores no times; 25 frames per second are assumed, --fps N says otherwise"
    )


def test_the_rate_of_a_raw_stream_can_be_said(raw, caplog):
    with open_source(str(raw), Mounting(fps=5.0)) as source:
        assert source.fps == 5.0
        assert [frame.time for frame in source] == pytest.approx([number / 5 for number in range(10)])
    assert not caplog.records


def test_what_has_times_takes_no_rate(clip, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(jpeg(90))
    for spec in (str(clip), "demo", str(tmp_path)):
        with pytest.raises(SourceError, match="have times of their own; leave out --fps"):
            open_source(spec, Mounting(fps=5.0))
