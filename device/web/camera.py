"""A browser's camera: its pictures come down a WebSocket, each answered with its result before the next is taken."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from fer_edge.device.classify import open_models
from fer_edge.device.detection.choice import HAAR, DetectorChoice
from fer_edge.device.frame import Converter, Frame
from fer_edge.device.outputs.summary import Rate
from fer_edge.device.pipeline import Pipeline
from fer_edge.device.service.worker import Worker
from fer_edge.device.sources.base import Source
from fer_edge.device.web.decoder import Decoder
from fer_edge.device.web.decoding import UploadError, checked_header
from fer_edge.device.web.hub import to_line
from fer_edge.device.web.streams import TRY_AGAIN_LATER
from fer_edge.errors import FerEdgeError, SourceError

_log = logging.getLogger(__name__)

CAMERAS = 4
"""Browser cameras at a time; each has a loop of its own."""

PIXELS = 1280 * 720
"""Of a camera's picture; the page sends 640 x 480."""

DECODE_LIMIT_S = 3.0
"""For one picture; all cameras share the process that decodes them."""

IDLE = 30.0
"""Seconds without a picture after which a camera is let go."""

UNSUPPORTED_DATA = 1003
INTERNAL_ERROR = 1011
"""WebSocket close codes (RFC 6455, section 7.4.1)."""


class BrowserCamera(Source):
    """Pictures that are pushed by another thread."""

    name = "browser camera"

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._pictures: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def push(self, jpeg: bytes | None) -> None:
        """Hand over a picture that `checked_header` has let pass; None ends the source."""
        self._pictures.put(jpeg)

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the pictures as they come, timed by their arrival; raises SourceError for one that is damaged."""
        converter, index, start = Converter(), 0, time.monotonic()
        while (jpeg := self._pictures.get()) is not None:
            try:
                bgr = self._decoder.decode(jpeg).bgr
            except UploadError as refused:
                raise SourceError(str(refused)) from refused
            start = time.monotonic() if index == 0 else start
            yield converter.convert(bgr, time.monotonic() - start, index)
            index += 1


class CameraDesk:
    """Runs a device loop for each browser that sends pictures."""

    def __init__(self, models: Sequence[Path], detector: DetectorChoice = HAAR) -> None:
        """Prepare to open `models` and `detector` for each camera: an interpreter belongs to one thread."""
        self._models, self._detector = models, detector
        self._sources: set[BrowserCamera] = set()
        self._decoder = Decoder(PIXELS, DECODE_LIMIT_S)

    async def serve(self, websocket: WebSocket) -> None:
        """Answer each picture (a binary message, JPEG, PNG or WebP) with its line of JSON (a text message)."""
        await websocket.accept()
        if len(self._sources) >= CAMERAS:
            await websocket.close(TRY_AGAIN_LATER, f"{CAMERAS} cameras are in use already; close one")
            return
        source = BrowserCamera(self._decoder)
        self._sources.add(source)
        answers = asyncio.Queue[bytes | Exception]()
        loop = asyncio.get_running_loop()

        def answer(line: bytes | Exception) -> None:
            with contextlib.suppress(RuntimeError):  # the server has ended
                loop.call_soon_threadsafe(answers.put_nowait, line)

        def failed(error: Exception) -> bool:
            answer(error)
            return False

        worker = Worker(source.name, lambda: self._work(source, answer), failed)
        worker.start()
        try:
            await _converse(websocket, source, answers)
        except WebSocketDisconnect:
            pass
        except Exception as error:  # whatever it is, the browser hears of it, and its place is free again
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await websocket.close(*_farewell(error))
        finally:
            source.push(None)
            self._sources.discard(source)

    def _work(self, source: BrowserCamera, answer: Callable[[bytes], None]) -> None:
        """Run the loop until the source ends."""
        rate = Rate()
        with Pipeline(source, open_models(self._models), detector=self._detector.open()) as pipeline:
            for result in pipeline:
                answer(to_line(result, loop_figures(rate.tick(), pipeline)))
                del result

    def close(self) -> None:
        """End the loops."""
        for source in list(self._sources):
            source.push(None)
        self._decoder.close()


async def _converse(websocket: WebSocket, source: BrowserCamera, answers: asyncio.Queue[bytes | Exception]) -> None:
    """Pass pictures to the loop and its answers to the browser, until one of them raises what ends it."""
    while True:
        try:
            async with asyncio.timeout(IDLE):
                picture = await websocket.receive_bytes()
        except (TimeoutError, KeyError) as error:  # KeyError: a text message
            raise UploadError(400, "expected pictures, found none") from error
        checked_header(picture, PIXELS)
        source.push(picture)
        line = await answers.get()
        if isinstance(line, Exception):
            raise line
        await websocket.send_text(line.decode())


def _farewell(error: Exception) -> tuple[int, str]:
    """Return close code and reason, which may have 123 bytes (RFC 6455, section 5.5)."""
    if isinstance(error, (UploadError, FerEdgeError)):
        return UNSUPPORTED_DATA, str(error).encode()[:120].decode(errors="ignore")
    _log.error("live page, browser camera: %s: %s", type(error).__name__, " ".join(str(error).split()))
    return INTERNAL_ERROR, "this server failed at it; its own output says why"


def loop_figures(rate: float, pipeline: Pipeline) -> dict[str, Any]:
    """Return rate and counters of a loop, JSON-ready."""
    counters = pipeline.counters
    return {"fps": round(rate, 1), "captured": counters.captured, "dropped": counters.dropped}
