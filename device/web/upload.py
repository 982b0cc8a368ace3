"""An uploaded photo: received and decoded within bounds, in memory alone."""

from __future__ import annotations

import asyncio
import dataclasses

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request

from fer_edge.device.opencv import cv2
from fer_edge.device.web.image_header import ImageHeader, read_header
from fer_edge.images import decode_image

MEGABYTE = 1024 * 1024

LARGEST = 16 * MEGABYTE
"""Bytes of a photo; the cameras of telephones make up to 12 MB."""

PIXELS = 24_000_000
"""Of a photo; decoded it takes three bytes each."""

SEARCHED = 4_000_000
"""Pixels in which faces are searched for; a larger photo is shrunk first, and its faces are still hundreds wide."""

PATIENCE = 30.0
"""Seconds in which a photo must have come."""

SILENCE = 10.0
"""Seconds without a further piece of it after which a photo is given up; a connection that was lost says nothing."""

TYPES = ("image/jpeg", "image/png", "image/webp")


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


async def receive(request: Request) -> bytes:
    """Read the body of a request into memory, never more than `LARGEST`.

    Raises:
        UploadError: another type, too large, or too slow.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in TYPES:
        raise UploadError(
            415, f"expected a photo as the body with Content-Type {', '.join(TYPES)}, found '{kind[:40]}'"
        )
    body, received = bytearray(), 0
    try:
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        async with asyncio.timeout(min(SILENCE, PATIENCE)) as limit:
            async for chunk in request.stream():
                limit.reschedule(min(loop.time() + SILENCE, end))
                received += len(chunk)
                if received <= LARGEST:
                    body += chunk
                elif received > 4 * LARGEST:
                    break
                else:
                    body.clear()  # read on without keeping it: a browser hears the answer only after it has sent all
    except TimeoutError:
        if loop.time() < end:
            raise UploadError(408, f"nothing more came for {SILENCE:.0f} seconds; send the photo again") from None
        raise UploadError(408, f"the photo did not come within {PATIENCE:.0f} seconds; send a smaller one") from None
    if received > LARGEST:
        raise UploadError(413, f"larger than {LARGEST // MEGABYTE} MB; send a smaller photo")
    return bytes(body)


def decode(data: bytes) -> Photo:
    """Decode a photo after its header says that it fits.

    Raises:
        UploadError: no photo, too many pixels, or damaged.
    """
    header = checked_header(data, PIXELS)
    # A JPEG can be decoded at a half, a quarter or an eighth without ever being whole.
    halvings = 0
    while header.kind == "JPEG" and halvings < 3 and header.width * header.height >> 2 * (halvings + 1) >= SEARCHED:
        halvings += 1
    bgr = decode_bgr(data, halvings)
    height, width = bgr.shape[:2]
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


def decode_bgr(data: bytes, halvings: int = 0) -> NDArray[np.uint8]:
    """Decode an image as `decode_image` does; raises UploadError if it is damaged."""
    try:
        decoded = decode_image(data, halvings=halvings)
    except cv2.error:
        decoded = None
    if decoded is None:
        raise UploadError(400, "a picture that cannot be decoded, because it is cut off or damaged; send another one")
    return decoded
