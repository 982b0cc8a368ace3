"""From the loop's thread to the browsers, without the loop ever waiting.

The loop leaves its latest result in one slot, and only while somebody watches. A thread of the hub's own makes the
JSON and the pictures of it that somebody wants, each once, and hands them to the server's event loop, where every
browser has a small queue from which the oldest goes when the browser is slow.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import enum
import json
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Any

from fer_edge.device.outputs.jsonl import SCHEMA
from fer_edge.device.results import FrameResult
from fer_edge.device.web.picture import encode

VIEWERS = 64
"""Browsers that may watch at once, all kinds together."""


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
        self._condition = threading.Condition()
        self._slot: tuple[FrameResult, dict[str, Any]] | None = None
        self._closing = False
        self._viewers: set[Viewer] = set()
        self._wanted: Counter[Kind] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

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
        with self._condition:
            self._slot = (result, loop())
            self._condition.notify()

    @contextlib.contextmanager
    def viewer(self, kind: Kind) -> Iterator[Viewer | None]:
        """Watch from the event loop that this is called in; gives None if `VIEWERS` watch already, or at the end."""
        if len(self._viewers) >= VIEWERS or self._closing:
            yield None
            return
        viewer = Viewer(kind)
        self._loop = asyncio.get_running_loop()
        self._viewers.add(viewer)
        self._wanted[kind] += 1
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="live page pictures", daemon=True)
            self._thread.start()
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
            self._wanted[kind] -= 1

    def _run(self) -> None:
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

    def _take(self) -> tuple[FrameResult, dict[str, Any]] | None:
        with self._condition:
            while self._slot is None and not self._closing:
                self._condition.wait()
            taken, self._slot = self._slot, None
            return None if self._closing else taken

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
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._post(self._end)
        if self._thread is not None:
            self._thread.join(timeout=2)

    def _end(self) -> None:
        for viewer in self._viewers:
            viewer.end()
