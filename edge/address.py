"""Addresses of cameras: what of them may be shown."""

from __future__ import annotations

import re

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
    before, at, host = rest.rpartition("@")
    if at and (scheme or ":" in before):
        # Up to the last @: a password with one of these characters in it is a mistake, and not to be shown either.
        rest = f"{HIDDEN}@{host}"
    elif not scheme:
        return source
    place, mark, _ = rest.partition("?")
    if not mark:
        place, mark, _ = rest.partition("#")
    shown = _NAMED.sub(rf"\1{HIDDEN}", place)
    return head + shown + (mark + HIDDEN if mark else "")
