"""The live page's server, in a thread of the process that runs the loop."""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn

from fer_edge.device.detection.choice import HAAR, DetectorChoice
from fer_edge.device.service.listener import BACKLOG, Listener
from fer_edge.device.service.worker import Worker
from fer_edge.device.web.app import make_app
from fer_edge.device.web.connection import Connection
from fer_edge.device.web.hub import Hub
from fer_edge.device.web.serving import Serving, own_address
from fer_edge.errors import OutputError

_log = logging.getLogger(__name__)

CONNECTIONS = 200
"""At a time; who comes beyond that is closed at once."""

LARGEST_MESSAGE = 1024 * 1024
"""Bytes of a WebSocket message: a picture of a browser's camera."""

CLOSE_TIMEOUT_S = 1
"""Time that the end waits for answers under way; a stop takes at most 5 seconds in all, of which a broker has 3."""


class Server:
    """Answers from its making to its `close`.

    Attributes:
        url: what to type into a browser.
    """

    def __init__(
        self,
        serving: Serving,
        models: Sequence[Path],
        hub: Hub | None,
        source: str | None,
        detector: DetectorChoice = HAAR,
    ) -> None:
        """Begin to answer.

        Args:
            serving: address, token and certificate.
            models: the model files.
            hub: results of the loop; None without one.
            source: name of what the loop reads.
            detector: what finds faces in visitors' photos and cameras.

        Raises:
            OutputError: the address is taken or not this machine's, or the certificate cannot be used.
            ModelFileError: a model cannot be read.
        """
        _check_certificate(serving)
        self._hub = hub
        app = make_app(serving, models, hub, source, detector)
        self._socket = _listen(serving)
        self.url = _url(serving)
        config = uvicorn.Config(
            app,
            loop="asyncio",  # uvloop would be one package more
            http=Connection,
            ws="websockets-sansio",
            ws_max_size=LARGEST_MESSAGE,
            ws_max_queue=2,
            ws_per_message_deflate=False,  # pictures do not get smaller
            log_config=None,
            log_level="critical",  # what goes wrong is said by the application, in one line
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=CLOSE_TIMEOUT_S,
            ssl_certfile=serving.certificate,
            ssl_keyfile=serving.key,
        )
        self._server = uvicorn.Server(config)
        self._worker = Worker("live page", lambda: self._server.run(sockets=[self._socket]), _say_failed)
        self._worker.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Answer no more; waits a little for answers under way."""
        if self._hub is not None:
            self._hub.close()
        self._server.should_exit = True
        self._worker.stop(1.5 * CLOSE_TIMEOUT_S)
        self._socket.close()


def _say_failed(error: Exception) -> bool:
    _log.error("live page: its server ended (%s: %s)", type(error).__name__, " ".join(str(error).split()))
    return False


def _check_certificate(serving: Serving) -> None:
    if serving.certificate is None or serving.key is None:
        return
    try:
        # A key that wants a password must not ask for one where nobody sits.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(serving.certificate, serving.key, lambda: "")
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        raise OutputError(
            f"{serving.certificate} and {serving.key}: expected a certificate and its unencrypted key as PEM "
            f"({_reason(error)}); docs/live-page.md shows how to make them"
        ) from error


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)


def _listen(serving: Serving) -> Listener:
    try:
        return Listener(serving.listen.host, serving.listen.port, CONNECTIONS, "live page")
    except OSError as error:
        # The socket's own text repeats the address; that of a name that leads nowhere has a number below 0.
        reason = os.strerror(error.errno) if error.errno is not None and error.errno > 0 else error.strerror
        raise OutputError(
            f"live page at {serving.listen}: cannot listen there ({reason}); choose another port or address"
        ) from error


def _url(serving: Serving) -> str:
    host = serving.listen.host
    try:
        every = ip_address(host).is_unspecified
    except ValueError:
        every = False
    shown = own_address(":" in host) if every else host
    shown = f"[{shown}]" if ":" in shown else shown
    scheme = "https" if serving.certificate else "http"
    return f"{scheme}://{shown}:{serving.listen.port}/"
