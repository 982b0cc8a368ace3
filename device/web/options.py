"""The options of the commands that serve the live page, and what they add up to."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from fer_edge.device.outputs.address import LOOPBACK, Listen

DEFAULT_LISTEN = Listen(LOOPBACK, 8080)

SHORTEST_TOKEN = 16
"""Characters; shorter ones can be guessed over a network, and generated ones have 22."""

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclasses.dataclass(frozen=True)
class Serving:
    """Where the live page is, and who may see it.

    Attributes:
        listen: address and port.
        token: what a visitor must show; None on the loopback, where only this machine's users can ask.
        certificate: PEM file with the certificate chain; None without TLS.
        key: PEM file with its key.
    """

    listen: Listen
    token: str | None = None
    certificate: Path | None = None
    key: Path | None = None


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach `host`; a name other than localhost may lead anywhere."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def serving_options(command: Command) -> Command:
    """Add ``--token``, ``--tls-cert`` and ``--tls-key``."""
    pem = click.Path(exists=True, dir_okay=False, path_type=Path)
    for option in (
        click.option("--tls-key", metavar="FILE", type=pem, help="The live page's key, PEM."),
        click.option("--tls-cert", metavar="FILE", type=pem, help="The live page's certificate, PEM, for https."),
        click.option(
            "--token",
            envvar="FER_EDGE_TOKEN",
            show_envvar=True,
            help="What visitors of the live page must show. Made up and printed where the address is not 127.0.0.1.",
        ),
    ):
        command = option(command)
    return command


def serving(listen: Listen | None, token: str | None, certificate: Path | None, key: Path | None) -> Serving | None:
    """Put the options together.

    Returns:
        None if `listen` is: no live page.

    Raises:
        click.UsageError: they do not go together.
    """
    if (certificate is None) != (key is None):
        raise click.UsageError("--tls-cert and --tls-key go together; give both or neither")
    if listen is None:
        if certificate is not None:
            raise click.UsageError("--tls-cert and --tls-key belong to the live page; give --serve HOST:PORT as well")
        if _is_typed("token"):
            raise click.UsageError("--token belongs to the live page; give --serve HOST:PORT as well")
        return None
    if token is not None and not (len(token) >= SHORTEST_TOKEN and token.isascii() and token.isalnum()):
        raise click.UsageError(
            f"expected a --token of at least {SHORTEST_TOKEN} letters and digits, found one of {len(token)} "
            "characters; leave it out to have one made up"
        )
    if token is None and not is_loopback(listen.host):
        token = secrets.token_hex(16)
    return Serving(listen, token, certificate, key)


def _is_typed(name: str) -> bool:
    """Say whether an option stood on the command line; the environment may hold a token for other commands."""
    context = click.get_current_context(silent=True)
    return context is not None and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
