"""What may stand for a data set on the command line; imports nothing heavy, so that ``--help`` is fast."""

from __future__ import annotations

from pathlib import Path

import click

DEMO = "demo"


class DataSpec(click.ParamType[str]):
    """A DATA argument: ``demo``, or a file or folder that exists."""

    name = "DATA"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return `value` if it can be meant."""
        if value != DEMO and not Path(value).exists():
            self.fail(f"'{value}' does not exist; give a fer2013.csv, a folder export or 'demo'", param, ctx)
        return value
