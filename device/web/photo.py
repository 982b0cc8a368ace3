"""``POST /api/photo``: the faces of one photo."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from fer_edge.device.detection.choice import HAAR, DetectorChoice
from fer_edge.device.reader import FaceReader
from fer_edge.device.service.awaited import in_worker
from fer_edge.device.web.decoder import Decoder
from fer_edge.device.web.decoding import PIXELS, UploadError
from fer_edge.device.web.upload import receive

IN_WORK = 1
"""Photos worked on at a time."""

RECEIVED = 4
"""Photos that come, or have come and wait, at a time: memory for as many, and as many slow visitors hold up nobody."""

WAITING = 5
"""Further visitors who wait for their turn; their photos are not read yet."""


class PhotoDesk:
    """Works on one photo after the other, in a thread of its own, and lets a process of its own decode them."""

    def __init__(self, models: Sequence[Path], detector: DetectorChoice = HAAR) -> None:
        """Prepare; the models are opened with the first photo, because most pages are never asked for one."""
        self._models, self._detector = models, detector
        self._reader: FaceReader | None = None
        self._decoder = Decoder(PIXELS)
        self._hands, self._desk = asyncio.Semaphore(RECEIVED), asyncio.Semaphore(IN_WORK)
        self._visitors = 0

    async def answer(self, request: Request) -> Response:
        """Answer with the faces of the photo in the request's body, or say what is wrong with it."""
        if self._visitors >= IN_WORK + RECEIVED + WAITING:
            message = "too many photos at once; send this one again in a moment"
            return JSONResponse({"error": message}, 503, {"Retry-After": "2"})
        self._visitors += 1
        try:
            async with self._hands:
                data = await receive(request)
                await self._desk.acquire()  # with the photo still in hand, so that no more than those are in memory
            try:
                return JSONResponse(await in_worker("live page photo", lambda: self.read(data)))
            finally:
                self._desk.release()
        except UploadError as refused:
            return JSONResponse({"error": str(refused)}, refused.status)
        except ClientDisconnect:
            return Response(None, 400)  # nobody is there to read it
        finally:
            self._visitors -= 1

    def read(self, data: bytes) -> dict[str, Any]:
        """Return the JSON-ready answer for a photo; raises UploadError."""
        start = time.perf_counter()
        photo = self._decoder.decode(data)
        if self._reader is None:
            self._reader = FaceReader(self._models, self._detector.open())
        faces, left_out = self._reader.read_foremost(photo.bgr)
        factor = photo.width / photo.bgr.shape[1]
        placed = [face.resized(factor, photo.width, photo.height) for face in faces]
        answer: dict[str, Any] = {
            "size": [photo.width, photo.height],
            "faces": [face.to_dict() for face in placed],
            "milliseconds": round(1000 * (time.perf_counter() - start)),
        }
        return answer | {"left_out": left_out} if left_out else answer

    def close(self) -> None:
        """Work on no more photos."""
        self._decoder.close()
