"""A listening socket with limits: who comes beyond them is accepted and closed at once, at nobody else's cost.

Descriptors belong to the whole process. A server that accepts whoever comes leaves none for the camera and the
outputs of the loop beside it, and one that only stops accepting is asked again and again by the kernel.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import resource
import socket
import time
from typing import Any

_log = logging.getLogger(__name__)

RESERVED_DESCRIPTORS = 64
"""Left for the rest of the process: its source, outputs, files and child processes."""

LOG_INTERVAL_S = 60.0
"""Between two lines about refused connections."""

REFUSALS_IN_A_ROW = 32
"""Connections closed at a time, before the thread that accepts does other work."""

BACKLOG = 1024
"""Connections that the kernel keeps until they are accepted; a crowd that is turned away must not block it."""

_PAUSE_S = 0.1
"""Wait while the process has no descriptor at all, in which the kernel would ask without end."""

_NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Listener(socket.socket):
    """Listens at one address, and keeps at most so many connections open.

    It does not block: `accept` raises BlockingIOError when nobody is left whom it may let in. Accept in one thread.
    """

    def __init__(self, host: str, port: int, connections: int, name: str) -> None:
        """Listen.

        Args:
            host: name or address of this machine.
            port: of TCP.
            connections: open at a time.
            name: of the server, in the log.

        Raises:
            OSError: the address is taken, or not this machine's.
        """
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
        super().__init__(family, socket.SOCK_STREAM, listening.proto, listening.detach())
        self.setblocking(False)
        self._limit, self._name = connections, name
        self._open: dict[socket.socket, float] = {}
        self._spare: int | None = os.open(os.devnull, os.O_RDONLY)
        self._refused, self._logged = 0, float("-inf")

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept the next connection for which there is room.

        Raises:
            BlockingIOError: nobody waits, or so many were refused that other work comes first.
        """
        for _ in range(REFUSALS_IN_A_ROW):
            connection, address = self._take()
            reason = self._reason_against(connection)
            if not reason:
                self._open[connection] = time.monotonic()
                return connection, address
            connection.close()
            self._refuse(reason)
        raise BlockingIOError

    def close_older(self, seconds: float) -> None:
        """Break off connections that are open for longer; whoever reads or writes them is told by the kernel."""
        latest = time.monotonic() - seconds
        for connection, accepted in self._open.items():
            if accepted < latest:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Listen no more; open connections stay."""
        super().close()
        self._drop_spare()

    def _take(self) -> tuple[socket.socket, Any]:
        try:
            return super().accept()
        except (BlockingIOError, InterruptedError):
            raise
        except OSError as error:  # of the connection, or of the process; the server has none
            if error.errno in _NO_DESCRIPTOR:
                self._refuse_without_descriptor(os.strerror(error.errno or 0))
            raise BlockingIOError from error

    def _reason_against(self, connection: socket.socket) -> str:
        if len(self._open) >= self._limit:
            self._open = {other: since for other, since in self._open.items() if other.fileno() != -1}
        if len(self._open) >= self._limit:
            return f"{self._limit} are open"
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        # A new descriptor is the lowest free number: above it, all that the process still may open are free.
        if most != resource.RLIM_INFINITY and connection.fileno() >= most - min(RESERVED_DESCRIPTORS, most // 2):
            return f"the process may open {most} files, and the last ones are kept for its other work"
        return ""

    def _refuse_without_descriptor(self, reason: str) -> None:
        """Close a connection although there is no descriptor for it, in place of one that is kept for this."""
        self._drop_spare()
        with contextlib.suppress(OSError):
            super().accept()[0].close()
        self._refuse(reason)
        try:
            self._spare = os.open(os.devnull, os.O_RDONLY)
        except OSError:
            time.sleep(_PAUSE_S)

    def _drop_spare(self) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            os.close(spare)

    def _refuse(self, reason: str) -> None:
        """Count a refusal, and log how many there were, seldom: who causes them must not fill a disk as well."""
        self._refused += 1
        now = time.monotonic()
        if now - self._logged >= LOG_INTERVAL_S:
            many = "connection" if self._refused == 1 else "connections"
            _log.warning("%s: closed %d new %s, because %s", self._name, self._refused, many, reason)
            self._refused, self._logged = 0, now
