import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.device.web.image_header import ImageHeader, read_header


def encoded(ending, width=37, height=21, *flags):
    picture = np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)
    return cv2.imencode(ending, picture, flags)[1].tobytes()


@pytest.mark.parametrize(
    ("ending", "kind", "flags"),
    [
        (".jpg", "JPEG", ()),
        (".jpg", "JPEG", (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
        (".jpg", "JPEG", (cv2.IMWRITE_JPEG_RST_INTERVAL, 2)),
        (".png", "PNG", ()),
        (".webp", "WebP", (cv2.IMWRITE_WEBP_QUALITY, 80)),
        (".webp", "WebP", (cv2.IMWRITE_WEBP_QUALITY, 101)),
    ],
)
def test_kind_and_size(ending, kind, flags):
    assert read_header(encoded(ending, 37, 21, *flags)) == ImageHeader(kind, 37, 21)


def jpeg_of(width, height):
    """A JPEG of a few hundred bytes that says it has another size than its coded pixels."""
    data = encoded(".jpg", 16, 16)
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


FAKE = b"\xff\xc0\x00\x11\x08\x00\x64\x00\x64\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
SCAN = b"\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00"


def hidden(start):
    """A JPEG of 3000 x 2000 in what a reader skips that takes `start` for a segment, and 100 x 100 behind it."""
    real = jpeg_of(3000, 2000)[2:]
    return b"\xff\xd8" + start + struct.pack(">H", len(real) + 2) + real + FAKE + SCAN + b"\xff\xd9"


@pytest.mark.parametrize("start", [b"\xff\x00", b"\x00\xff\x00", b"\xff\xff\x00", b"junk\xff\x00"])
def test_a_size_is_the_one_that_the_decoder_finds(start):
    data = hidden(start)
    assert read_header(data) == ImageHeader("JPEG", 3000, 2000)
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is None or decoded.shape[:2] == (2000, 3000)


def test_bytes_between_two_segments_are_skipped_as_the_decoder_does():
    data = encoded(".jpg", 37, 21)
    at = data.index(b"\xff\xdb")
    data = data[:at] + b"junk" + data[at:]
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape[:2] == (21, 37)
    assert read_header(data) == ImageHeader("JPEG", 37, 21)


def test_a_thumbnail_in_a_segment_is_not_the_picture():
    thumbnail = b"Exif\0\0" + encoded(".jpg", 8, 8)
    data = encoded(".jpg", 37, 21)
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + data[2:]
    assert read_header(data) == ImageHeader("JPEG", 37, 21)


@pytest.mark.parametrize("insert", [FAKE, b"\xff\xd8", b"\xff\xd9"])
def test_what_no_decoder_takes_has_no_size(insert):
    """A second size, a second beginning, an end before the pixels."""
    data = encoded(".jpg", 37, 21)
    at = data.index(b"\xff\xc4")
    with pytest.raises(ValueError, match="damaged"):
        read_header(data[:at] + insert + data[at:])


def test_a_height_that_comes_behind_the_pixels_is_none():
    """DNL, which no usual decoder reads either."""
    with pytest.raises(ValueError, match="without pixels"):
        read_header(jpeg_of(37, 0))


def test_a_webp_with_more_than_a_picture_in_it():
    canvas = (299).to_bytes(3, "little") + (199).to_bytes(3, "little")
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + bytes(4) + canvas
    assert read_header(b"RIFF" + struct.pack("<I", len(body)) + body) == ImageHeader("WebP", 300, 200)


def test_fill_bytes_before_a_marker():
    data = encoded(".jpg")
    assert read_header(data[:2] + b"\xff\xff" + data[2:]) == ImageHeader("JPEG", 37, 21)


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp"])
def test_a_file_that_is_cut_off(ending):
    data = encoded(ending, 200, 200)
    # Behind the start of its pixels, only the decoder can tell whether a JPEG is whole.
    for length in (12, 30) if ending == ".jpg" else (12, 30, len(data) // 2, len(data) - 12):
        with pytest.raises(ValueError, match=r"cut off or damaged|no JPEG, PNG or WebP"):
            read_header(data[:length])


def test_a_jpeg_without_its_end_has_its_size():
    assert read_header(encoded(".jpg")[:-2]) == ImageHeader("JPEG", 37, 21)


@pytest.mark.parametrize("data", [b"", b"GIF89a" + bytes(40), b"shopping list\n" * 20, b"RIFF\0\0\0\0WAVEfmt "])
def test_another_kind(data):
    with pytest.raises(ValueError, match="no JPEG, PNG or WebP picture"):
        read_header(data)


def test_a_picture_without_pixels():
    ihdr = struct.pack(">IIBBBBB", 0, 5, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + ihdr + struct.pack(">I", zlib.crc32(ihdr)) + b"IEND"
    with pytest.raises(ValueError, match="without pixels"):
        read_header(data)


STARTS = st.sampled_from([b"\xff\xd8", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\0\0\0WEBPVP8 ", b""])


@settings(max_examples=200, deadline=None)
@given(STARTS, st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(start, rest):
    try:
        header = read_header(start + rest)
    except ValueError:
        return
    assert header.width > 0
    assert header.height > 0


BYTES = [0, 1, 255, 0xC0, 0xDA]
PICTURES = [encoded(".jpg"), encoded(".jpg", 37, 21, cv2.IMWRITE_JPEG_PROGRESSIVE, 1), encoded(".png")]
PICTURES += [encoded(".webp"), encoded(".webp", 37, 21, cv2.IMWRITE_WEBP_QUALITY, 101)]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PICTURES), st.data())
def test_whatever_opencv_decodes_has_the_size_that_was_read(data, draw):
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 4))):
        damaged[draw.draw(st.integers(0, min(len(data) - 1, 200)))] = draw.draw(
            st.sampled_from([0, 1, 255, 0xC0, 0xDA])
        )
    decoded = cv2.imdecode(np.frombuffer(bytes(damaged), np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if decoded is None or not damaged.startswith((b"\xff\xd8", b"\x89PNG", b"RIFF")):
        return
    try:
        header = read_header(bytes(damaged))
    except ValueError:
        return  # refused, though it could be decoded
    assert decoded.shape[:2] == (header.height, header.width)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([encoded(".jpg"), encoded(".png"), encoded(".webp")]), st.data())
def test_a_damaged_picture_is_read_or_refused(data, draw):
    damaged = bytearray(data)
    for _ in range(3):
        damaged[draw.draw(st.integers(0, min(len(data) - 1, 200)))] = draw.draw(st.integers(0, 255))
    try:
        header = read_header(bytes(damaged))
    except ValueError:
        return
    assert header.kind in ("JPEG", "PNG", "WebP")
