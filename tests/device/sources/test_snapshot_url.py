import base64
import itertools

import pytest

from fer_edge.device.sources import open_source, snapshot_url
from fer_edge.device.sources.snapshot_url import SnapshotSource
from fer_edge.device.sources.stream import StreamSource
from fer_edge.errors import SourceError
from tests.device.sources.http_camera import http_camera, jpeg, send_image, send_stream


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(snapshot_url, "INTERVAL_S", 0.05)
    monkeypatch.setattr(snapshot_url, "SILENCE_TIMEOUT_S", 0.3)


@pytest.fixture
def counted():
    """Answers with brighter and brighter images."""
    numbers = itertools.count()
    return lambda handler: send_image(handler, jpeg(10 * next(numbers) % 250))


def test_one_image_at_an_address_is_asked_for_again_and_again(counted):
    with http_camera(counted) as address, open_source(f"{address}/snap.jpg") as source:
        assert source.live
        frames = list(itertools.islice(source, 5))
    assert [frame.index for frame in frames] == list(range(5))
    levels = [int(frame.y[0, 0]) for frame in frames]
    assert levels == sorted(set(levels))
    assert 0.15 <= frames[-1].time < 2  # four pauses of 0.05 s, less the first image's own time


def test_what_is_sent_and_not_the_address_decides(counted):
    def answer(handler):
        if "snapshot.cgi" in handler.path:
            counted(handler)
        else:
            send_stream(handler, [0.01] * 1000)

    with http_camera(answer) as address:
        for path, kind in (("/cgi/snapshot.cgi?channel=1", SnapshotSource), ("/video.jpg", StreamSource)):
            with open_source(address.upper().replace("HTTP", "Http") + path) as source:
                assert type(source) is kind


def test_user_and_password_of_the_address_are_sent(counted):
    expected = "Basic " + base64.b64encode(b"admin:p#ss w@rd").decode()

    def answer(handler):
        if handler.headers["Authorization"] == expected:
            counted(handler)
        else:
            handler.send_response(401)
            handler.send_header("WWW-Authenticate", 'Basic realm="camera"')
            handler.end_headers()

    with http_camera(answer) as address:
        with open_source(address.replace("//", "//admin:p%23ss%20w%40rd@")) as source:
            next(iter(source))
        with pytest.raises(SourceError, match="sends none .401 Unauthorized"):
            SnapshotSource(address)


def test_a_camera_that_is_away_for_a_moment_is_waited_for(counted):
    broken = iter([False, False, True, True, False, False])

    def answer(handler):
        if next(broken, False):
            handler.send_error(503)
        else:
            counted(handler)

    with http_camera(answer) as address, SnapshotSource(address) as source:
        assert len(list(itertools.islice(source, 3))) == 3
        assert source.skipped == 2


@pytest.mark.parametrize("content", [b"no image", jpeg(90)[:200], b""])
def test_a_camera_that_stops_sending_images_has_failed(counted, content):
    images = itertools.chain([jpeg(90)] * 3, itertools.repeat(content))
    with http_camera(lambda handler: send_image(handler, next(images))) as address, SnapshotSource(address) as source:
        frames = iter(source)
        next(frames)
        with pytest.raises(SourceError, match="it stopped sending images after [12] "):
            list(frames)


def test_closing_ends_the_asking(counted):
    with http_camera(counted) as address:
        source = SnapshotSource(address)
        frames = iter(source)
        next(frames)
        source.close()
        assert list(frames) == []
