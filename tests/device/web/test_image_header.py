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
