"""Cameras that answer each request over HTTP with one image."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.client import HTTPException
from urllib.parse import unquote, urlsplit
from urllib.request import (
    HTTPBasicAuthHandler,
    HTTPDigestAuthHandler,
    HTTPPasswordMgrWithDefaultRealm,
    OpenerDirector,
    build_opener,
)

import numpy as np

from fer_edge.device.frame import Converter, Frame
from fer_edge.device.opencv import cv2
from fer_edge.device.sources.base import SILENCE_TIMEOUT_S, Source
from fer_edge.errors import SourceError
from fer_edge.text.address import without_secrets

INTERVAL_S = 0.5
"""Time from one request to the next; most cameras make a new image once or twice a second."""

LARGEST_BYTES = 32 * 2**20
"""Of an image; what is larger is none."""

_FAULTS = (OSError, HTTPException, ValueError)
"""What urllib raises: for the network, for an answer that is none, for an authentication that it does not know."""


class SnapshotSource(Source):
    """A camera's latest image, asked for again and again, timed by its arrival."""

    live = True

    def __init__(self, url: str, fps: float | None = None) -> None:
        """Ask for the first image.

        Args:
            url: address of the image, ``http`` or ``https``, with user and password where the camera wants them.
            fps: how often it is asked, in requests a second; by default every `INTERVAL_S`.

        Raises:
            SourceError: no image comes.
        """
        self.name = without_secrets(url)
        self._url, self._asked = url, fps
        self._interval_s = 1 / fps if fps else INTERVAL_S
        self._closed = threading.Event()
        self._camera = _Address(url)
        try:
            self._camera.image()
        except _FAULTS as error:
            raise SourceError(
                f"{self.name}: expected an image, but the camera sends none ({_reason(error)})"
            ) from error

    def __iter__(self) -> Iterator[Frame]:
        """Deliver an image in each interval; raises SourceError when for a while none comes."""
        converter = Converter()
        index, start, good = 0, 0.0, time.monotonic()
        while not self._closed.is_set():
            asked = time.monotonic()
            bgr, fault = None, "damaged images"
            try:
                bgr = cv2.imdecode(np.frombuffer(self._camera.image(), np.uint8), cv2.IMREAD_COLOR)
            except (*_FAULTS, cv2.error) as error:
                fault = _reason(error)
            now = time.monotonic()
            if bgr is not None:
                good, start = now, start or now
                yield converter.convert(bgr, now - start, index)
                index += 1
            elif now - good > SILENCE_TIMEOUT_S:
                raise SourceError(f"{self.name}: it stopped sending images after {index} ({fault})")
            else:
                self.skipped += 1
            self._closed.wait(max(asked + self._interval_s - time.monotonic(), 0))

    def reopen(self) -> SnapshotSource:
        """Ask again; raises SourceError while no image comes."""
        return SnapshotSource(self._url, self._asked)

    def close(self) -> None:
        """Ask no more."""
        self._closed.set()


def sends_images(url: str) -> bool:
    """Return whether an address answers a request with one image; False for whatever else it does."""
    try:
        return _Address(url).kind().startswith("image/")
    except _FAULTS:
        return False


class _Address:
    """An address that is asked with the user and password that it contains."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        passwords = HTTPPasswordMgrWithDefaultRealm()
        if parts.username:
            passwords.add_password(None, self._bare, unquote(parts.username), unquote(parts.password or ""))
        self._opener: OpenerDirector = build_opener(HTTPBasicAuthHandler(passwords), HTTPDigestAuthHandler(passwords))

    def kind(self) -> str:
        with self._opener.open(self._bare, timeout=SILENCE_TIMEOUT_S) as answer:
            return str(answer.headers.get_content_type())

    def image(self) -> bytes:
        with self._opener.open(self._bare, timeout=SILENCE_TIMEOUT_S) as answer:
            data: bytes = answer.read(LARGEST_BYTES + 1)
        if not 0 < len(data) <= LARGEST_BYTES:
            raise ValueError(f"an answer of {len(data)} bytes or more")
        return data


def _reason(error: Exception) -> str:
    """Return a few words that do not quote the address."""
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    code = getattr(error, "code", "")
    return f"{code} {reason}".strip()
