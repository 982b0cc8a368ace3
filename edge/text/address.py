"""Addresses of cameras and brokers: what of them may be shown, and what is wrong with them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

ENVIRONMENT = "FER_EDGE_SOURCE"
"""Variable that holds a source with a password, which a command line would show to every user of the machine."""

HIDDEN = "***"
"""Stands where something is left out."""

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:/+", re.IGNORECASE)
_NAMED = re.compile(r"((?:user|usr|login|account|pass|pwd|token|key|auth|secret)\w*=)[^/?#]*", re.IGNORECASE)


def without_secrets(source: str) -> str:
    """Return a ``--source`` value as it may be printed, served, stored or exported.

    The one place that decides it. Of an address are left out: user and password; all after ``?`` or ``#``, where many
    cameras take them; and in the path what follows ``password=`` and its like. What no address can be,
    a file's name, stays as it is.
    """
    scheme = _SCHEME.match(source)
    head, rest = (scheme[0], source[scheme.end() :]) if scheme else ("", source)
    before, _, host = rest.rpartition("@")
    if before and (scheme or ":" in before):
        # Up to the last @: a password with one of these characters in it is a mistake, and not to be shown either.
        rest = f"{HIDDEN}@{host}"
    elif not scheme:
        return source
    place, mark, _ = rest.partition("?")
    if not mark:
        place, mark, _ = rest.partition("#")
    shown = _NAMED.sub(rf"\1{HIDDEN}", place)
    return head + shown + (mark + HIDDEN if mark else "")


def check_address(url: str) -> None:
    """Check host, port, user and password of an address.

    Raises:
        ValueError: what is wrong and how to write it, without quoting it.
    """
    rest = url.partition("://")[2]
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    after = rest[len(authority) :]
    # What is before the first / belongs to the host. With an @ behind it, that was meant to be part of a password.
    is_port = authority.rpartition(":")[2].isdecimal() and after[:1] != "#"
    if "@" in after and ":" in authority and "@" not in authority and not is_port:
        raise ValueError(f"its user or password holds a {after[0]}; write %{ord(after[0]):02X}")
    userinfo, _, place = authority.rpartition("@")
    for character in "[] ":
        if character in userinfo:
            name = character if character != " " else "space"
            raise ValueError(f"its user or password holds a {name}; write %{ord(character):02X}")
    try:
        port = urlsplit(f"//{place}").port
        host = urlsplit(f"//{place}").hostname
    except ValueError:
        raise ValueError("its port is no number from 1 to 65535, or its IPv6 host has no brackets") from None
    if not host or port == 0:
        raise ValueError("it names no host" if not host else "port 0 does not exist")
