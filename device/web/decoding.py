"""What strangers send as a picture: looked at before it is decoded, and measured afterwards.

Decoding happens in a process of its own (`fer_edge.device.web.decoder`), which imports this module and little else.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.opencv import cv2
from fer_edge.device.web.image_header import ImageHeader, read_header
from fer_edge.images import decode_image, too_many_scans

PIXELS = 24_000_000
"""Of a photo; decoded it takes three bytes each."""

SEARCHED = 4_000_000
"""Pixels in which faces are searched for; a larger photo is shrunk first, and its faces are still hundreds wide."""


class UploadError(Exception):
    """An upload that is not worked on: the HTTP status, and why and what to do in one line."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclasses.dataclass(frozen=True)
class Photo:
    """A decoded photo.

    Attributes:
        bgr: uint8 H x W x 3, turned as its EXIF orientation says, of at most about `SEARCHED` pixels.
        width: of the photo as a browser shows it.
        height: the same.
    """

    bgr: NDArray[np.uint8]
    width: int
    height: int


def decode(data: bytes, most: int = PIXELS) -> Photo:
    """Decode a photo of at most `most` pixels.

    Raises:
        UploadError: no photo, too many pixels, too many scans, damaged, or of another size than its header says.
    """
    header = checked_header(data, most)
    # A JPEG can be decoded at a half, a quarter or an eighth without ever being whole.
    halvings = 0
    while header.kind == "JPEG" and halvings < 3 and header.width * header.height >> 2 * (halvings + 1) >= SEARCHED:
        halvings += 1
    bgr = _decode_bgr(data, halvings)
    height, width = bgr.shape[:2]
    # Whatever a decoder makes of a header that this reader takes for another size, it is not worked on.
    announced = sorted(-(-side // 2**halvings) for side in (header.width, header.height))
    if sorted((width, height)) != announced:
        raise UploadError(400, f"a {header.kind} picture that has another size than its header says; send another one")
    turned = (width > height) != (header.width > header.height)
    whole = (header.height, header.width) if turned else (header.width, header.height)
    if width * height > SEARCHED:
        factor = (SEARCHED / (width * height)) ** 0.5
        bgr = cv2.resize(bgr, (int(width * factor) or 1, int(height * factor) or 1), interpolation=cv2.INTER_AREA)
    return Photo(bgr, *whole)


def checked_header(data: bytes, most: int) -> ImageHeader:
    """Return the header of an image of at most `most` pixels; raises UploadError for anything else."""
    try:
        header = read_header(data)
    except ValueError as error:
        raise UploadError(400, f"{error}; send a JPEG, PNG or WebP picture") from error
    if header.width * header.height > most:
        raise UploadError(
            413,
            f"{header.width} x {header.height} are {header.width * header.height / 1e6:.0f} million pixels; "
            f"send a picture of at most {most / 1e6:.0f} million",
        )
    return header


def _decode_bgr(data: bytes, halvings: int) -> NDArray[np.uint8]:
    try:
        decoded = decode_image(data, halvings=halvings)
    except (cv2.error, MemoryError):
        decoded = None
    if decoded is None:
        why = too_many_scans(data) or "it is cut off or damaged"
        raise UploadError(400, f"a picture that cannot be decoded, because {why}; send another one")
    return decoded
