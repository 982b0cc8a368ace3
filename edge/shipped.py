"""The models that come with the package, and how ``--model`` finds one."""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = Path(__file__).parent / "models"
DEFAULT = "compact"


def shipped_models() -> dict[str, Path]:
    """Return the names and files of the int8 models in the package."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.tflite"))}


class ModelPath(click.ParamType[Path]):
    """A ``--model`` value: the name of a shipped model, or a file, as a `Path`."""

    name = "MODEL"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the file that `value` names."""
        shipped = shipped_models()
        if str(value) in shipped:
            return shipped[str(value)]
        path = Path(value)
        if not path.is_file():
            names = ", ".join(shipped) or "none"
            self.fail(f"'{value}' is neither a file nor a shipped model ({names})", param, ctx)
        return path
