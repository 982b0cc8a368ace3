"""The HTTP server of ``--metrics``: a few threads and no more, each for a few seconds."""

from __future__ import annotations

import logging
import socketserver
import sys
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import prometheus_client

from fer_edge.device.outputs.address import Listen
from fer_edge.device.service.listener import Listener
from fer_edge.device.service.worker import Worker

_log = logging.getLogger(__name__)

CONNECTIONS = 16
"""At a time, with a thread each; who comes beyond that is closed at once."""

LIFETIME_S = 10.0
"""Of a connection, from its beginning to the last byte of its one answer."""

_POLL_S = 0.2
"""Between two looks for connections that are too old, and for the end."""


class MetricsServer:
    """Answers with the figures of a registry, from its making to its `close`."""

    def __init__(self, listen: Listen, registry: prometheus_client.CollectorRegistry) -> None:
        """Begin to answer; raises OSError if the address cannot be used."""
        self._server = _Server(listen, Listener(listen.host, listen.port, CONNECTIONS, "metrics"))
        self._server.set_app(prometheus_client.make_wsgi_app(registry))
        self._worker = Worker("metrics", lambda: self._server.serve_forever(_POLL_S))
        self._worker.start()

    def close(self) -> None:
        """Answer no more; answers under way are not waited for."""
        self._server.shutdown()
        self._worker.stop(2 * _POLL_S)
        self._server.server_close()


class _Silent(WSGIRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        """Say nothing of single requests."""


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, listen: Listen, listener: Listener) -> None:
        super().__init__((listen.host, listen.port), _Silent, bind_and_activate=False)
        self.socket.close()
        self.socket = self._listener = listener
        self.server_name, self.server_port = listen.host, listen.port
        self.setup_environ()

    def service_actions(self) -> None:
        """Break off what is too old, several times a second."""
        self._listener.close_older(LIFETIME_S)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave it at a connection that failed; whoever asks again gets the next figures."""
        _log.debug("metrics: a connection of %s ended with %r", client_address, sys.exc_info()[1])
