"""From the loop's thread to the browsers, without the loop ever waiting.

The loop leaves its latest result in one slot, and only while somebody watches. A thread of the hub's own makes the
JSON and the pictures of it that somebody wants, each once, and hands them to the server's event loop, where every
browser has a small queue from which the oldest goes when the browser is slow. A frame that cannot be encoded is left
out, with a word about the first one.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import enum
import json
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Any

from fer_edge.device.outputs.drawing import encode
from fer_edge.device.outputs.jsonl import SCHEMA
from fer_edge.device.results import FrameResult
from fer_edge.device.service.worker import Worker

_log = logging.getLogger(__name__)

VIEWERS = 64
"""Browsers that may watch at once, all kinds together."""

_STOP_TIMEOUT_S = 0.5
"""Wait at the end for a frame that is being encoded."""


class Kind(enum.Enum):
    """What a browser wants; the value is how many may wait for it."""

    RESULTS = 64, "every result, as JSON"
    PLAIN = 1, "the latest result, and its picture"
    DRAWN = 1, "the latest picture with the faces drawn in"


@dataclasses.dataclass(frozen=True)
class Shown:
    """A result made ready for browsers.

    Attributes:
        frame: number of the picture.
        line: the JSON of a picture's line, with ``size`` (width and height of the source picture) and ``loop``.
        plain: its picture as JPEG; empty if nobody wants it.
        drawn: the same with the faces drawn in.
    """

    frame: int
    line: bytes
    plain: bytes = b""
    drawn: bytes = b""


def to_line(result: FrameResult, loop: dict[str, Any]) -> bytes:
    """Return a picture's line of JSON, which is that of ``--jsonl`` and more.

    Args:
        result: faces, times and picture.
        loop: rate and counters.
    """
    more = {"size": [result.frame.width, result.frame.height], "loop": loop}
    return json.dumps({"schema": SCHEMA} | result.to_dict() | more, separators=(",", ":")).encode()


class Viewer:
    """One browser's queue; used in the server's event loop only.

    Attributes:
        kind: what it wants.
        dropped: what it was too slow for.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.dropped = 0
        self._waiting: deque[Shown] = deque()
        self._changed = asyncio.Event()
        self._ended = False

    def offer(self, shown: Shown) -> None:
        """Queue something new; the oldest goes when there are too many."""
        if len(self._waiting) == self.kind.value[0]:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(shown)
        self._changed.set()

    def end(self) -> None:
        """Let `next` return None from now on."""
        self._ended = True
        self._changed.set()

    async def next(self) -> Shown | None:
        """Wait for the next one; None at the end."""
        while not self._ended:
            if self._waiting:
                return self._waiting.popleft()
            self._changed.clear()
            await self._changed.wait()
        return None


class Hub:
    """Takes results from the loop and gives them to viewers."""

    def __init__(self) -> None:
        self._worker = Worker("live page pictures", self._encode_all, self._leave_out)
        self._began = False
        self._slot: tuple[FrameResult, dict[str, Any]] | None = None  # guarded by the worker's condition
        self._viewers: set[Viewer] = set()
        self._wanted: Counter[Kind] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def watched(self) -> bool:
        """Whether anybody watches."""
        return bool(self._viewers)

    def offer(self, result: FrameResult, loop: Callable[[], dict[str, Any]]) -> None:
        """Take a result from the loop's thread; never waits. One that was not worked on yet is replaced.

        Args:
            result: the newest.
            loop: asked for rate and counters if somebody watches.
        """
        if not self._viewers:
            return
        with self._worker.condition:
            self._slot = (result, loop())
            self._worker.condition.notify_all()

    @contextlib.contextmanager
    def viewer(self, kind: Kind) -> Iterator[Viewer | None]:
        """Watch from the event loop that this is called in; gives None if `VIEWERS` watch already, or at the end."""
        if len(self._viewers) >= VIEWERS or self._worker.stopping.is_set():
            yield None
            return
        viewer = Viewer(kind)
        self._loop = asyncio.get_running_loop()
        self._viewers.add(viewer)
        self._wanted[kind] += 1
        if not self._began:
            self._began = True
            self._worker.start()
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
            self._wanted[kind] -= 1

    def _encode_all(self) -> None:
        while (taken := self._take()) is not None:
            result, loop = taken
            shown = Shown(
                result.index,
                to_line(result, loop),
                encode(result.frame) if self._wanted[Kind.PLAIN] else b"",
                encode(result.frame, result.faces) if self._wanted[Kind.DRAWN] else b"",
            )
            del taken, result  # the picture's memory is used again once nobody refers to it
            self._post(self._deliver, shown)

    def _leave_out(self, error: Exception) -> bool:
        if not self._worker.restarts:
            reason = " ".join(str(error).split())
            _log.warning("live page: a picture cannot be shown (%s: %s); left out", type(error).__name__, reason)
        return True

    def _take(self) -> tuple[FrameResult, dict[str, Any]] | None:
        with self._worker.condition:
            while self._slot is None and not self._worker.stopping.is_set():
                self._worker.condition.wait()
            taken, self._slot = self._slot, None
            return None if self._worker.stopping.is_set() else taken

    def _post(self, call: Callable[..., None], *arguments: Shown) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the server has ended
                self._loop.call_soon_threadsafe(call, *arguments)

    def _deliver(self, shown: Shown) -> None:
        for viewer in self._viewers:
            # One who came while the picture was made is served with the next.
            if viewer.kind is Kind.RESULTS or (shown.plain if viewer.kind is Kind.PLAIN else shown.drawn):
                viewer.offer(shown)

    def close(self) -> None:
        """Let every viewer end."""
        self._worker.stopping.set()
        self._post(self._end)
        self._worker.stop(_STOP_TIMEOUT_S)

    def _end(self) -> None:
        for viewer in self._viewers:
            viewer.end()
