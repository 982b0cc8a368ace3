"""What a watching browser receives: results as server-sent events, pictures as MJPEG, both together on a WebSocket.

The pace is the browser's: while it is slow, the sending waits here, and its viewer's queue drops meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from fer_edge.device.web.hub import VIEWERS, Hub, Kind, Shown, Viewer

STALLED = 20.0
"""Seconds after which a browser that takes nothing is let go."""

AHEAD = 2
"""Pictures under way to a browser that has not yet said that it drew them; more would only grow old."""

SILENT = 10.0
"""Seconds without a result after which an event stream says that it is alive."""

BOUNDARY = "fer-edge-picture"

TOO_MANY = f"{VIEWERS} browsers are watching already; close one"

TRY_AGAIN_LATER = 1013
"""WebSocket close code (IANA registry)."""


def as_event(shown: Shown) -> bytes:
    """Return a server-sent event (WHATWG HTML, section 9.2)."""
    return b"id: %d\ndata: %b\n\n" % (shown.frame, shown.line)


def as_part(shown: Shown) -> bytes:
    """Return a part of a multipart/x-mixed-replace body."""
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(shown.drawn)}\r\nX-Frame: {shown.frame}"
    return f"{head}\r\n\r\n".encode() + shown.drawn + b"\r\n"


def as_message(shown: Shown) -> bytes:
    """Return a message: the length of the JSON as four bytes, highest first, the JSON, the JPEG."""
    return struct.pack(">I", len(shown.line)) + shown.line + shown.plain


class Stream:
    """An endless HTTP answer; an ASGI application."""

    def __init__(self, hub: Hub, kind: Kind) -> None:
        """Stream results (`Kind.RESULTS`) or pictures (`Kind.DRAWN`)."""
        self._hub, self._kind = hub, kind
        self._form: Callable[[Shown], bytes] = as_event if kind is Kind.RESULTS else as_part
        self._type = "text/event-stream" if kind is Kind.RESULTS else f"multipart/x-mixed-replace; boundary={BOUNDARY}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the browser goes, stalls, or the loop ends."""

        async def send_in_time(message: Any) -> None:
            async with asyncio.timeout(STALLED):
                await send(message)

        with self._hub.viewer(self._kind) as viewer:
            if viewer is None:
                await JSONResponse({"error": TOO_MANY}, 503, {"Retry-After": "10"})(scope, receive, send)
                return
            response = StreamingResponse(self._chunks(viewer), media_type=self._type)
            with contextlib.suppress(TimeoutError):
                await response(scope, receive, send_in_time)

    async def _chunks(self, viewer: Viewer) -> AsyncIterator[bytes]:
        if self._kind is Kind.RESULTS:
            yield b": connected\n\n"
        while True:
            try:
                async with asyncio.timeout(SILENT):
                    shown = await viewer.next()
            except TimeoutError:
                if self._kind is Kind.RESULTS:
                    yield b": nothing new\n\n"
                continue
            if shown is None:
                return
            yield self._form(shown)


async def watch(websocket: WebSocket, hub: Hub) -> None:
    """Send `as_message` messages; each message that comes back, whatever it says, asks for one more."""
    await websocket.accept()
    with hub.viewer(Kind.PLAIN) as viewer:
        if viewer is None:
            await websocket.close(TRY_AGAIN_LATER, TOO_MANY)
            return
        asked = asyncio.Semaphore(AHEAD)

        async def listen() -> None:
            while (await websocket.receive())["type"] != "websocket.disconnect":
                asked.release()

        async def show() -> None:
            while True:
                async with asyncio.timeout(STALLED):
                    await asked.acquire()
                shown = await viewer.next()
                if shown is None:
                    return
                async with asyncio.timeout(STALLED):
                    await websocket.send_bytes(as_message(shown))

        await first_of(listen(), show())
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # closed by the browser
        await websocket.close()


async def first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Run until one has ended, and cancel the others; a browser that goes or stalls is an end like any other."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            expected = (asyncio.CancelledError, TimeoutError, WebSocketDisconnect)
            if isinstance(ended, BaseException) and not isinstance(ended, expected):
                raise ended
