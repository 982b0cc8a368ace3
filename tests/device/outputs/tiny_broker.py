"""An MQTT 3.1.1 broker for one client, which keeps what it is told and forgets it when it is killed."""

import contextlib
import socket
import struct
import threading

CONNECT, PUBLISH, PINGREQ = 1, 3, 12


class TinyBroker:
    """Listens on a port of the loopback that it keeps over restarts.

    Attributes:
        told: (topic, payload) of all messages since the latest start, repeated ones included.
        retained: topic -> payload, as a late subscriber would get them.
        receipts: whether to confirm messages.
    """

    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.receipts = True
        self._listener = None

    def start(self):
        self.told, self.retained = [], {}
        self._clients = []
        self._listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def kill(self):
        if self._listener:
            for connection in (self._listener, *self._clients):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()
            self._listener = None

    def payloads(self, topic):
        return [payload for name, payload in list(self.told) if name == topic]

    def _accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                self._clients.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError, EOFError):
            while True:
                kind, body = _packet(client)
                if kind >> 4 == CONNECT:
                    client.sendall(b"\x20\x02\0\0")
                elif kind >> 4 == PUBLISH:
                    self._keep(client, kind, body)
                elif kind >> 4 == PINGREQ:
                    client.sendall(b"\xd0\0")

    def _keep(self, client, kind, body):
        (length,) = struct.unpack_from(">H", body)
        topic, rest = body[2 : 2 + length].decode(), body[2 + length :]
        number, payload = rest[:2], rest[2:].decode()
        assert kind & 0b111 == 0b011, "expected quality of service 1, retained"
        self.told.append((topic, payload))
        self.retained[topic] = payload
        if self.receipts:
            client.sendall(b"\x40\x02" + number)


def _packet(client):
    kind = _read(client, 1)[0]
    length = shift = 0
    while True:
        byte = _read(client, 1)[0]
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return kind, _read(client, length)


def _read(client, count):
    data = b""
    while len(data) < count:
        more = client.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data
