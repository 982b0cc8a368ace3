"""One visitor's HTTP connection, which nobody can keep open by doing nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_TIMEOUT_S = 10.0
"""For a whole request line with its headers; between two requests uvicorn waits 5 seconds."""

BODY_TIMEOUT_S = 40.0
"""For a whole body; what reads one has a shorter limit of its own, and an answer for who exceeds it."""

STALLED_TIMEOUT_S = 20.0
"""For a browser that does not take what was sent to it."""


class Connection(H11Protocol):
    """uvicorn's connection, with limits on the time of each of its states.

    After the change to a WebSocket, whose handler has limits of its own, none of these holds.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._awaited: object = None
        self._request_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._upgraded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wait for the first request."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        super().connection_lost(exc)
        self._stop_timers()

    def data_received(self, data: bytes) -> None:
        """Take a part of a request."""
        super().data_received(data)
        self._watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over."""
        self._upgraded = True
        self._stop_timers()
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the last bytes of this answer."""
        super().on_response_complete()
        self._watch()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that was not used again."""
        super().timeout_keep_alive_handler()
        self._watch()

    def pause_writing(self) -> None:
        """Give a browser time to take what waits for it."""
        super().pause_writing()
        self._start_stall_timer()

    def resume_writing(self) -> None:
        """Let the browser go on."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._stop_stall_timer()

    def _watch(self) -> None:
        """Set the timer for what is awaited now; the time for one and the same request does not begin again."""
        if self._upgraded:
            return
        if self.transport.is_closing():  # which waits for the browser to take the rest
            self._start_stall_timer()
        state = self.conn.their_state
        if state is self._awaited:
            return
        self._stop_request_timer()
        seconds = {h11.IDLE: HEADER_TIMEOUT_S, h11.SEND_BODY: BODY_TIMEOUT_S}.get(state)
        if seconds is not None:
            self._awaited = state
            self._request_timer = self.loop.call_later(seconds, self.transport.abort)

    def _start_stall_timer(self) -> None:
        if self._stall_timer is None:
            self._stall_timer = self.loop.call_later(STALLED_TIMEOUT_S, self.transport.abort)

    def _stop_request_timer(self) -> None:
        self._awaited = None
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _stop_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _stop_timers(self) -> None:
        self._stop_request_timer()
        self._stop_stall_timer()
