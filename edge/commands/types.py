"""Values that commands of every package take."""

from __future__ import annotations

from pathlib import Path

import click

from fer_edge.errors import ModelFileError
from fer_edge.shipped import find_model


class ModelPath(click.ParamType[Path]):
    """A ``--model`` value: the name of a shipped model, or a file, as a `Path`."""

    name = "MODEL"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the file that `value` names."""
        try:
            return find_model(value)
        except ModelFileError as error:
            self.fail(str(error), param, ctx)
