"""What an image file says it is, read from its first bytes before anything is decoded.

A few hundred bytes can announce a picture of gigabytes. Formats: ISO/IEC 10918-1 (JPEG, section B.1.1), W3C PNG (third
edition, section 5), WebP (RFC 9649, section 2).
"""

from __future__ import annotations

import dataclasses
import struct

PNG_START = b"\x89PNG\r\n\x1a\n"

_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_NO_MARKERS = frozenset({0x00, 0xFF})  # a byte 255 of coded pixels, and fill bytes before a marker
_ENDS = frozenset({0xD8, 0xD9})  # a second beginning, and the end
_START_OF_SCAN = 0xDA


@dataclasses.dataclass(frozen=True)
class ImageHeader:
    """Kind (``JPEG``, ``PNG`` or ``WebP``) and size in pixels, before any rotation."""

    kind: str
    width: int
    height: int


def read_header(data: bytes) -> ImageHeader:
    """Read kind and size of a whole image file.

    Raises:
        ValueError: it is of another kind, damaged before the size, or ends too early; says which.
    """
    if data.startswith(b"\xff\xd8"):
        kind, size = "JPEG", _jpeg(data)
    elif data.startswith(PNG_START):
        kind, size = "PNG", _png(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind, size = "WebP", _webp(data)
    else:
        raise ValueError("no JPEG, PNG or WebP picture, whatever its name")
    if size is None:
        raise ValueError(f"a {kind} picture that is cut off or damaged")
    if not all(size):
        raise ValueError(f"a {kind} picture without pixels")
    return ImageHeader(kind, *size)


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """Go from marker to marker as libjpeg does, which looks for the next one in whatever lies between two segments."""
    position, size = 2, None
    while 0 <= (position := data.find(b"\xff", position)) < len(data) - 3:
        marker = data[position + 1]
        if marker in _NO_MARKERS or marker in _ALONE:
            position += 1 if marker == 0xFF else 2
            continue
        if marker == _START_OF_SCAN:  # whether the pixels behind it are all there, only the decoder can tell
            return size
        (length,) = struct.unpack_from(">H", data, position + 2)
        if marker in _FRAME_HEADERS:
            if size is not None or position + 9 > len(data):
                return None  # no decoder takes a second one
            height, width = struct.unpack_from(">HH", data, position + 5)
            size = (width, height)
        elif marker in _ENDS:
            return None
        position += 2 + max(length, 2)
    return None


def _png(data: bytes) -> tuple[int, int] | None:
    if data[8:16] != b"\0\0\0\x0dIHDR" or len(data) < 24 or b"IEND" not in data:
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _webp(data: bytes) -> tuple[int, int] | None:
    if len(data) < 30 or struct.unpack_from("<I", data, 4)[0] + 8 > len(data):
        return None
    chunk = data[12:16]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if chunk == b"VP8L" and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
