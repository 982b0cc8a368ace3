"""``--umask``: who may read what a command writes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

PRIVATE = "077"
"""Files of mode 600 in folders of mode 700: what a camera saw is its owner's."""


class Umask(click.ParamType[int]):
    """Permissions to take away, as three octal digits."""

    name = "OCTAL"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        if isinstance(value, int):
            return value
        if not (value.isascii() and value.isdecimal() and len(value) <= 4 and set(value) <= set("01234567")):
            self.fail(f"'{value}' is no umask; expected octal digits such as 077 or 022", param, ctx)
        number = int(value, 8)
        if number & 0o300:
            self.fail(f"'{value}' would take the owner's own right to write; expected such as 077 or 022", param, ctx)
        return number


def _set(ctx: click.Context, param: click.Parameter, value: int) -> None:
    before = os.umask(value)
    ctx.call_on_close(lambda: os.umask(before))


def umask_option(command: Command) -> Command:
    """Add ``--umask`` to a command that writes what a camera or a photo shows; it holds for all that it makes."""
    return click.option(
        "--umask",
        type=Umask(),
        default=PRIVATE,
        show_default=True,
        expose_value=False,
        callback=_set,
        help="Permissions that files and folders are made without; 022 lets everybody read them.",
    )(command)
