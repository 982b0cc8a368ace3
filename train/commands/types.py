"""Values that the workstation's commands take: a data set, and classes that are renamed."""

from __future__ import annotations

import click

from fer_edge.train.data.spec import parts_of


class DataSpec(click.ParamType[str]):
    """A DATA argument: ``demo``, a file or folder that exists, or several joined with ``+``."""

    name = "DATA"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return `value` if it can be meant."""
        if not parts_of(value):
            self.fail(
                f"'{value}' does not exist; give a fer2013.csv, a folder or zip of pictures, 'demo', or several "
                "joined with '+'",
                param,
                ctx,
            )
        return value


def check_mapping(
    context: click.Context, parameter: click.Parameter, pairs: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Return `pairs` unless they send one class to two."""
    seen: dict[str, str] = {}
    for old, new in pairs:
        if seen.setdefault(old, new) != new:
            raise click.BadParameter(
                f"'{old}' cannot become both '{seen[old]}' and '{new}'; name it once", context, parameter
            )
    return pairs


class LabelMapping(click.ParamType[tuple[str, str]]):
    """A ``FROM=TO`` argument; an empty TO leaves the class out."""

    name = "FROM=TO"

    def convert(
        self, value: str | tuple[str, str], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return the two names."""
        if isinstance(value, tuple):
            return value
        old, separator, new = value.partition("=")
        if not separator or not old.strip():
            self.fail(f"expected a class, '=' and the class it becomes (or nothing), found '{value}'", param, ctx)
        return old, new
