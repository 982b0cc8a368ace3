"""Where the live page is, and who may see it."""

from __future__ import annotations

import dataclasses
import secrets
import socket
from ipaddress import ip_address
from pathlib import Path

from fer_edge.config import check_type
from fer_edge.device.outputs.address import LOOPBACK, Listen
from fer_edge.errors import ConfigError
from fer_edge.lazy import require

DEFAULT_LISTEN = Listen(LOOPBACK, 8080)

SHORTEST_TOKEN = 16
"""Characters; shorter ones can be guessed over a network, and generated ones have 32."""


@dataclasses.dataclass(frozen=True)
class Serving:
    """Where the live page is, and who may see it.

    Attributes:
        listen: address and port.
        token: what a visitor must show; None on the loopback, where only this machine's users can ask. On any other
            address one is made up if none is given.
        certificate: PEM file with the certificate chain; None without TLS.
        key: PEM file with its key.

    Raises:
        ConfigError: the token can be guessed, or one of certificate and key is missing.
    """

    listen: Listen
    token: str | None = dataclasses.field(default=None, repr=False)
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            missing = "tls_cert" if self.certificate is None else "tls_key"
            raise ConfigError(missing, "`tls_cert` and `tls_key` go together; give both or neither")
        check_type("token", token := self.token, "letters and digits", str)
        if token is not None and not (len(token) >= SHORTEST_TOKEN and token.isascii() and token.isalnum()):
            raise ConfigError(
                "token",
                f"expected a `token` of at least {SHORTEST_TOKEN} letters and digits, found one of {len(token)} "
                "characters; leave it out to have one made up",
            )
        if token is None and not is_loopback(self.listen.host):
            object.__setattr__(self, "token", secrets.token_hex(16))


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach `host`; a name other than localhost may lead anywhere."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def require_packages() -> None:
    """Raise MissingExtraError unless the packages of the extra ``web`` are installed."""
    for module in ("starlette", "uvicorn", "websockets"):
        require(module, "web")


def own_address(ipv6: bool = False) -> str:
    """Return the address under which other machines reach this one; that of the loopback where none can.

    A host name is no help: many networks, and the machine itself, know it under no address. Nothing is sent: a
    datagram socket that is connected only learns which of the machine's addresses it would send from.
    """
    family, elsewhere, loopback = (
        (socket.AF_INET6, "2001:db8::1", "::1") if ipv6 else (socket.AF_INET, "192.0.2.1", "127.0.0.1")
    )  # of networks that exist in documents alone (RFC 5737, RFC 3849)
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return loopback
