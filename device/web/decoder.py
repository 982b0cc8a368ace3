"""A process that decodes what strangers send: it has little memory, little time, and nothing that it could take along.

Both ends of the line are here. A decoder that crashes, hangs or grows costs its picture, and the next one gets a new
process. The other end is ``python -m fer_edge.device.web.decoder PIXELS``.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import TypeVar

import numpy as np

from fer_edge.device.web.decoding import SEARCHED, Photo, UploadError, checked_header, decode

_log = logging.getLogger(__name__)

TIME_LIMIT_S = 10.0
"""For one picture."""

START_LIMIT_S = 60.0
"""Until a process is ready; a Raspberry Pi reads OpenCV from a cold card."""

MEMORY_BYTES = 512 * 1024 * 1024
"""On top of what the process has when it is ready: 24 million pixels with transparency, and as many again."""

_REQUEST = struct.Struct("<I")  # bytes of the picture
_ANSWER = struct.Struct("<HIIII")  # status, rows, columns, whole width, whole height; or status and bytes of a message
_READY = b"+"
_DECODED = 200

Buffer = TypeVar("Buffer", bytearray, memoryview)


class Decoder:
    """Decodes one picture after the other in a process that is begun with the first one and kept.

    Threads may share it: they wait for each other.
    """

    def __init__(self, pixels: int, time_limit_s: float = TIME_LIMIT_S) -> None:
        """Prepare.

        Args:
            pixels: most of a picture.
            time_limit_s: for one picture, in seconds.
        """
        self._pixels, self._time_limit_s = pixels, time_limit_s
        self._lock = threading.Lock()
        self._process: _Process | None = None
        self._closed = False

    def decode(self, data: bytes) -> Photo:
        """Decode a picture; raises UploadError, also where it took too much time or memory."""
        checked_header(data, self._pixels)
        with self._lock:
            process = self._process = self._running()
            try:
                return process.decode(data, self._time_limit_s)
            except TimeoutError:
                message = f"it took longer than {self._time_limit_s:.0f} seconds"
            except (OSError, EOFError):
                message = "the page ends" if self._closed else "its decoder broke down"
            process.end()
            raise UploadError(400, f"a picture that cannot be decoded, because {message}; send another one")

    def close(self) -> None:
        """End the process, whatever it is at; nothing is decoded any more."""
        self._closed = True
        if self._process is not None:
            self._process.end()

    def _running(self) -> _Process:
        if self._process is None or not self._process.alive:
            self._process = _Process(self._pixels)
            try:
                self._process.wait_until_ready()
            except (OSError, EOFError) as error:
                self._process.end()
                _log.error("live page: the process that decodes pictures does not begin (%r)", error)
                raise UploadError(503, "this server cannot decode pictures; its own output says why") from error
        if self._closed:
            self._process.end()
            raise UploadError(503, "the page ends")
        return self._process


class _Process:
    """One process and the line to it."""

    def __init__(self, pixels: int) -> None:
        self._line, theirs = socket.socketpair()
        # OpenCV refuses by itself what has more pixels, at the size that it is about to decode.
        limits = {"OPENCV_IO_MAX_IMAGE_PIXELS": str(pixels), "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        # Passwords and tokens of this process are none of its business.
        harmless = {name: value for name, value in os.environ.items() if not name.startswith("FER_EDGE_")}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "fer_edge.device.web.decoder", str(pixels)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=harmless | limits,
                start_new_session=True,  # ^C at a terminal is for the page, which ends it
            )
        self._end = weakref.finalize(self, _kill, self._process, self._line)

    @property
    def alive(self) -> bool:
        return self._end.alive and self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Wait; raises OSError or EOFError if it does not come about."""
        self._line.settimeout(START_LIMIT_S)
        _receive(self._line, bytearray(len(_READY)))

    def decode(self, data: bytes, limit_s: float) -> Photo:
        """Decode; raises UploadError, TimeoutError, or OSError or EOFError if the process ended."""
        end = time.monotonic() + limit_s
        self._line.settimeout(limit_s)
        self._line.sendall(_REQUEST.pack(len(data)) + data)
        answer = _receive(self._line, bytearray(_ANSWER.size), end)
        status, rows, columns, width, height = _ANSWER.unpack(answer)
        if status != _DECODED:
            raise UploadError(status, _receive(self._line, bytearray(min(rows, 1000)), end).decode(errors="replace"))
        if not 0 < rows * columns <= SEARCHED:
            raise EOFError("no answer")
        bgr = np.empty((rows, columns, 3), np.uint8)
        _receive(self._line, bgr.data.cast("B"), end)
        return Photo(bgr, width, height)

    def end(self) -> None:
        self._end()


def _kill(process: subprocess.Popen[bytes], line: socket.socket) -> None:
    process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1)
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)  # for a thread that waits for an answer
    line.close()


def _receive(line: socket.socket, buffer: Buffer, end: float | None = None) -> Buffer:
    """Fill a buffer before `end`; raises TimeoutError, or EOFError if the other end is gone."""
    rest = memoryview(buffer)
    while rest:
        if end is not None:
            line.settimeout(max(end - time.monotonic(), 0.001))
        received = line.recv_into(rest)
        if not received:
            raise EOFError("the other end is gone")
        rest = rest[received:]
    return buffer


def main() -> None:
    """Decode what comes down standard input, a socket, until nobody is at its other end."""
    line, pixels = socket.socket(fileno=0), int(sys.argv[1])
    _limit_memory()
    with contextlib.suppress(EOFError, ConnectionError):
        line.sendall(_READY)
        while True:
            (size,) = _REQUEST.unpack(_receive(line, bytearray(_REQUEST.size)))
            # If nobody is there to end a decoder that hangs, the kernel does.
            signal.setitimer(signal.ITIMER_REAL, 2 * TIME_LIMIT_S)
            _answer(line, bytes(_receive(line, bytearray(size))), pixels)
            signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(line: socket.socket, data: bytes, pixels: int) -> None:
    try:
        photo = decode(data, pixels)
    except UploadError as refused:
        message = str(refused).encode()
        line.sendall(_ANSWER.pack(refused.status, len(message), 0, 0, 0) + message)
        return
    rows, columns = photo.bgr.shape[:2]
    line.sendall(_ANSWER.pack(_DECODED, rows, columns, photo.width, photo.height))
    line.sendall(np.ascontiguousarray(photo.bgr).data.cast("B"))


def _limit_memory() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # of all processes, this one may best be spared
    used = 0
    with contextlib.suppress(OSError):
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    most = used + MEMORY_BYTES if used else resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
