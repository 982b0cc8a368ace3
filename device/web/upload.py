"""An uploaded photo: received within bounds, into memory alone."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from fer_edge.device.web.decoding import UploadError

MEGABYTE = 1024 * 1024

LARGEST = 16 * MEGABYTE
"""Bytes of a photo; the cameras of telephones make up to 12 MB."""

PATIENCE = 30.0
"""Seconds in which a photo must have come."""

SILENCE = 10.0
"""Seconds without a further piece of it after which a photo is given up; a connection that was lost says nothing."""

TYPES = ("image/jpeg", "image/png", "image/webp")


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
