import pytest

from fer_edge.device.sources import open_source
from fer_edge.errors import SourceError
from fer_edge.text.address import check_address


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://cam/1",
        "rtsp://gardener:s3cret@cam:554/1",
        "rtsp://gardener:s%23cret@[fe80::1]:554/1",
        "rtsp://gardener:s@cret@cam/1",  # the last @ counts, for FFmpeg as well
        "http://cam:8080/photo@2x.jpg",
        "http://cam/snap.cgi?user=a@b:c",
    ],
)
def test_addresses_that_can_be_read(url):
    check_address(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("rtsp://gardener:s3#cret@cam/1", "its user or password holds a #; write %23"),
        ("rtsp://gardener:123#cret@cam/1", "its user or password holds a #; write %23"),
        ("rtsp://gardener:s3?cret@cam/1", r"its user or password holds a \?; write %3F"),
        ("rtsp://gardener:s3/cret@cam/1", "its user or password holds a /; write %2F"),
        ("rtsp://gardener:s3[cret@cam/1", r"its user or password holds a \[; write %5B"),
        ("rtsp://gardener:s3 cret@cam/1", "its user or password holds a space; write %20"),
        ("rtsp://gardener:s3cret@cam:99999/1", "its port is no number from 1 to 65535"),
        ("http://cam:http/1", "its port is no number"),
        ("rtsp://gardener:s3cret@:554/1", "it names no host"),
        ("rtsp:///1", "it names no host"),
        ("rtsp://cam:0/", "port 0 does not exist"),
    ],
)
def test_what_is_wrong_with_an_address(url, why):
    with pytest.raises(SourceError, match=f"no address of a camera: {why}") as error:
        open_source(url)
    assert "cret" not in str(error.value)
    assert "gardener" not in str(error.value)
