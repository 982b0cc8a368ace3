"""Image files: one list of what is read as an image, one way to decode it, and what to do with the rest.

Data sets, photo folders, ``fer-edge image`` and ``fer-edge run`` all ask here, so that a file that one command takes
is not silently left out by another.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path, PurePath
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from fer_edge.lazy import require
from fer_edge.quiet import native_stderr_held

Image = NDArray[np.uint8]

SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".png", ".webp", ".avif", ".gif", ".bmp", ".dib"),
    *(".tif", ".tiff", ".jp2", ".j2k", ".pbm", ".pgm", ".ppm", ".pnm", ".pam", ".ras", ".sr"),
)
"""Endings of the names that are taken for images, lower case: what OpenCV decodes to 8 bits a channel."""

SIDE_FILES = frozenset({"thumbs.db", "desktop.ini"})
"""What systems put into folders of images by themselves, lower case."""

BACKGROUND = 255
"""Grey level that is seen through transparent pixels: white, as in most viewers."""

_HEAD = 64
"""Bytes from the beginning that tell the kind of a file."""

_STARTS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF8": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\x59\xa6\x6a\x95": "Sun raster",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"8BPS": "Photoshop",
    b"%PDF": "PDF",
    b"<svg": "SVG",
    b"<?xml": "SVG",
    b"<!DOCTYPE html": "HTML",
    b"<html": "HTML",
    b"version https://git-lfs": "Git LFS pointer",
}
_PNM = re.compile(rb"P[1-6]\s+[#\d]|P7\n")
_FOREIGN = {
    "HEIC": "save it as JPEG, such as with: heif-convert photo.heic photo.jpg",
    "AVIF": "this OpenCV was built without it; save it as JPEG or PNG",
    **dict.fromkeys(("JPEG XL", "Photoshop", "PDF", "SVG"), "save it as JPEG or PNG"),
}
"""Kinds that OpenCV does not decode, or only where it was built with them, and what to do."""
_NO_IMAGES = {
    "HTML": "a web page in place of the file; fetch it again",
    "Git LFS pointer": "a Git LFS pointer in place of the file; fetch it with: git lfs pull",
}
MOST_PIXELS = 110_000_000
"""Of an image, whatever the memory: the largest usual cameras have 108 million, and take a gigabyte on the device."""
BYTES_A_PIXEL = 10
"""What an image takes at its peak, decoded, searched and drawn on: 6.4 to 9 measured at 40 to 400 million pixels."""

SCANS = 100
"""Of a JPEG, at most: each goes over the whole picture, and programs write about ten."""
_SCAN, _END = 0xDA, 0xD9
_MARKER = re.compile(rb"\xff[^\0\xff]")
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers of a JPEG that no length follows."""
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_ROWS = 256  # blended at a time
_JPEG_END = b"\xff\xd9"
_OPAQUE = frozenset({"JPEG", "Sun raster", "BMP"})


def most_pixels(meminfo: str) -> int:
    """Return how many pixels an image may have so that it fits into what /proc/meminfo calls available.

    At most `MOST_PIXELS`, also where nothing is known. A file of some hundred bytes can hold an image for which
    a small device has no memory, and Linux kills a process rather than tell it so.
    """
    for line in meminfo.splitlines():
        name, _, size = line.partition(":")
        if name == "MemAvailable":
            return min(MOST_PIXELS, int(size.split()[0]) * 1024 // BYTES_A_PIXEL)
    return MOST_PIXELS


def _meminfo() -> str:
    try:
        return Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return ""


# OpenCV reads it once, when it is loaded, and raises cv2.error for an image whose header says more.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(most_pixels(_meminfo())))


def is_image_name(path: PurePath) -> bool:
    """Say whether a file's name is that of an image."""
    return path.suffix.lower() in SUFFIXES


def kind_of(data: bytes) -> str:
    """Return what a file is by its first bytes, such as ``JPEG`` or ``HEIC``; empty where that is unknown."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        brands = data[8 : min(int.from_bytes(data[:4], "big"), _HEAD)]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        return "HEIC" if any(brand in brands for brand in (b"heic", b"heix", b"hevc", b"mif1", b"msf1")) else ""
    if _PNM.match(data):
        return "PNM"
    if data[:2] == b"BM":  # which texts begin with as well
        return "BMP" if data[6:10] == bytes(4) else ""
    return next((kind for start, kind in _STARTS.items() if data.startswith(start)), "")


def begins_like_image(data: bytes) -> bool:
    """Say whether a file's first bytes are those of an image, of a kind that can be decoded or not."""
    return kind_of(data[:_HEAD]) not in ("", "PDF", "SVG", *_NO_IMAGES)


def reason(data: bytes) -> str:
    """Say what a file is that `decode_image` could not decode, and what to do; begins like ``a HEIC file``."""
    kind = kind_of(data[:_HEAD])
    if kind in _NO_IMAGES:
        return _NO_IMAGES[kind]
    if kind in _FOREIGN:
        return f"{'an' if kind[0] in 'AS' else 'a'} {kind} file, which OpenCV cannot decode; {_FOREIGN[kind]}"
    if kind:
        other = "" if kind in ("JPEG", "PNG", "BMP", "PNM") else ", or this OpenCV was built without it"
        if why := too_many_scans(data):
            return f"a JPEG file that is not decoded, because {why}; save it again"
        return f"a {kind} file of {len(data)} bytes that OpenCV cannot decode, because it is cut off or damaged{other}"
    return f"{len(data)} bytes that OpenCV cannot decode"


def too_many_scans(data: bytes) -> str:
    """Say that a JPEG has more than `SCANS` scans, with which a small file takes minutes; empty if it has not."""
    if kind_of(data[:_HEAD]) != "JPEG" or data.count(bytes((0xFF, _SCAN))) <= SCANS:
        return ""
    scans = _scans(data)
    return f"it has {scans} scans instead of at most {SCANS}" if scans > SCANS else ""


def _scans(data: bytes) -> int:
    """Return how many scans a JPEG has, as libjpeg finds them.

    Segments such as a thumbnail are passed over by their length. Nothing counts behind the end of the picture, where
    telephones put a film. In the coded pixels a byte 255 is followed by 0.
    """
    scans, position = 0, 0
    while found := _MARKER.search(data, position):
        marker, position = data[found.start() + 1], found.end()
        if marker == _END:
            break
        if marker not in _ALONE:
            scans += marker == _SCAN
            position += int.from_bytes(data[position : position + 2], "big")
    return scans


def decode_image(data: bytes, *, keep_grey: bool = False, halvings: int = 0) -> Image | None:
    """Decode an image file of any kind that OpenCV knows, turned as its EXIF orientation says.

    Transparent pixels show `BACKGROUND`, whatever colour lies hidden beneath. A JPEG, PNG or GIF that lacks its end
    marker alone is decoded as viewers do; one that lacks pixels is not, nor is a JPEG of more than `SCANS` scans.

    Args:
        data: the whole file.
        keep_grey: whether a grey image stays one of a single channel.
        halvings: how often the sides are halved, 0 to 3; a JPEG is then never whole in memory. Not with `keep_grey`.

    Returns:
        uint8, H x W x 3 in BGR order, or H x W; None if it cannot be decoded.

    Raises:
        cv2.error: the header announces more pixels than OpenCV accepts.
        MemoryError: there is no room for it.
    """
    if too_many_scans(data):
        return None
    cv2 = _opencv()
    reduced = ("IMREAD_COLOR", "IMREAD_REDUCED_COLOR_2", "IMREAD_REDUCED_COLOR_4", "IMREAD_REDUCED_COLOR_8")
    flags = cv2.IMREAD_ANYCOLOR if keep_grey else getattr(cv2, reduced[halvings])
    kind = kind_of(data[:_HEAD])
    if kind == "PNG" and b"IEND" not in data:
        data = _png_with_end(data)
    image = _decode(cv2, data, flags)
    if image is None and (ended := _with_end(cv2, data, kind)):
        data = ended
        image = _decode(cv2, data, flags)
    if image is None or not _may_be_transparent(data, kind):
        return image
    return _over_background(cv2, data, image, flags)


@functools.cache
def _opencv() -> ModuleType:
    """Return OpenCV without its log: what it says of a damaged file, fer-edge says in one line."""
    cv2 = require("cv2", "device")
    if hasattr(cv2, "setLogLevel"):  # up to 4.12, which Raspberry Pi OS 12 has
        cv2.setLogLevel(0)
    else:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


def _decode(cv2: ModuleType, data: bytes, flags: int) -> Image | None:
    if not data:
        return None
    image: Image | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    return image


def _with_end(cv2: ModuleType, data: bytes, kind: str) -> bytes:
    """Return the file with the end marker that it lacks; empty if that is not all that it lacks."""
    if kind == "GIF":
        return b"" if data.endswith(b";") else data + b";"
    if kind != "JPEG" or _JPEG_END in data[-64:]:
        return b""
    # A decoder fills what is missing and says nothing. What it reads behind the last pixel changes nothing; so if it
    # gives other pixels for other bytes there, pixels are missing. libjpeg reports the bytes on standard error.
    body = data.rstrip(b"\xff")
    with native_stderr_held():
        first, second = (_decode(cv2, body + filler * 64 + _JPEG_END, cv2.IMREAD_COLOR) for filler in (b"\0", b"\xa5"))
    if first is None or second is None or not np.array_equal(first, second):
        return b""
    return body + _JPEG_END


def _png_with_end(data: bytes) -> bytes:
    position = 8
    while position + 12 <= len(data):
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        if end > len(data) or data[position + 4 : position + 8] == b"IEND":
            break
        position = end
    return data[:position] + _PNG_END


def _may_be_transparent(data: bytes, kind: str) -> bool:
    if kind == "PNG":
        pixels = data.find(b"IDAT")
        return data[25:26] in (b"\4", b"\6") or b"tRNS" in data[: max(pixels, 0)]
    if kind == "WebP":
        return data[12:16] == b"VP8L" or (data[12:16] == b"VP8X" and bool(data[20] & 0x10))
    return kind not in _OPAQUE and not (kind == "PNM" and data[1:2] != b"7")


def _over_background(cv2: ModuleType, data: bytes, image: Image, flags: int) -> Image:
    whole = _decode(cv2, data, cv2.IMREAD_UNCHANGED)
    if whole is None or whole.ndim != 3 or whole.shape[2] != 4:
        return image
    most = np.iinfo(whole.dtype).max if whole.dtype.kind == "u" else 1
    alpha = np.ascontiguousarray(whole[:, :, 3])
    del whole  # a large image is in memory often enough
    if (alpha == most).all():
        return image
    alpha = _orientation(cv2, data, image, flags)(alpha)
    for top in range(0, len(image), _ROWS):
        cover = (alpha[top : top + _ROWS] / most).astype(np.float32)
        part = image[top : top + _ROWS]
        if part.ndim == 3:
            cover = cover[:, :, None]
        part[:] = np.rint(part * cover + BACKGROUND * (1 - cover))
    return image


def _orientation(cv2: ModuleType, data: bytes, image: Image, flags: int) -> Callable[[Image], Image]:
    """Return how OpenCV turned `image`; it does not turn the alpha channel, and does not say what it did."""
    stored = _decode(cv2, data, flags | cv2.IMREAD_IGNORE_ORIENTATION)
    for quarters in range(4):
        for mirrored in (False, True):

            def turn(plane: Image, quarters: int = quarters, mirrored: bool = mirrored) -> Image:
                turned = np.rot90(plane, quarters)
                return turned[:, ::-1] if mirrored else turned

            if stored is not None and np.array_equal(turn(stored), image):
                return turn
    return lambda plane: plane
