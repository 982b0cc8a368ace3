"""Where to publish and where to listen: the values of ``--mqtt`` and ``--metrics``, which need no library."""

from __future__ import annotations

import dataclasses
from urllib.parse import unquote, urlsplit

from fer_edge.text.address import check_address

BROKER_FORM = "mqtt://[USER:PASSWORD@]HOST[:PORT]/TOPIC, or mqtts:// for TLS"
LISTEN_FORM = "PORT or HOST:PORT, with an IPv6 HOST in brackets"

LOOPBACK = "127.0.0.1"

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclasses.dataclass(frozen=True)
class Broker:
    """An MQTT broker and the topic under which everything is published; as text, without user and password."""

    host: str
    port: int
    topic: str
    tls: bool = False
    user: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}/{self.topic}"


def parse_broker(url: str) -> Broker:
    """Read an address of the form `BROKER_FORM`; percent signs stand for characters as in any URL.

    Raises:
        ValueError: what is wrong with it, without quoting it, because it may hold a password.
    """
    if url.partition("://")[0].lower() not in _PORTS:
        raise ValueError("it does not begin with mqtt:// or mqtts://")
    check_address(url)
    try:
        url.encode()
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # its text may quote the password
        raise ValueError("it is no address that can be read") from None
    host, topic = parts.hostname or "", unquote(parts.path.removeprefix("/"))
    try:
        host.encode("idna")
    except UnicodeError:
        host = ""
    if not host or port == 0:
        raise ValueError("it names no host" if not host else "port 0 does not exist")
    if parts.query or parts.fragment:
        raise ValueError("it holds a ? or #; write %3F or %23")
    if not topic or topic.startswith(("/", "$")) or topic.endswith("/") or set(topic) & set("+#\0"):
        raise ValueError("its topic is empty, begins with / or $, ends with /, or holds + or #")
    if len(topic.encode()) > 1000:
        raise ValueError("its topic is longer than 1000 bytes")
    user = unquote(parts.username) if parts.username else None
    if parts.password and not user:
        raise ValueError("it has a password without a user")
    password = unquote(parts.password) if parts.password else None
    return Broker(host, port or _PORTS[parts.scheme], topic, parts.scheme == "mqtts", user, password)


@dataclasses.dataclass(frozen=True)
class Listen:
    """An address of this machine to answer at."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(value: str) -> Listen:
    """Read an address of the form `LISTEN_FORM`; a port alone is on `LOOPBACK`, where only this machine can ask.

    Raises:
        ValueError: it has another form.
    """
    if "/" in value:
        raise ValueError(f"expected {LISTEN_FORM}, without http:// before it or a path after it")
    host, colon, port = value.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"expected {LISTEN_FORM}")
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536) or (colon and not host):
        raise ValueError(f"expected {LISTEN_FORM}, the port from 1 to 65535")
    return Listen(host or LOOPBACK, int(port))
