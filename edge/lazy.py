"""Optional dependencies, imported when they are first needed and explained when they are absent."""

from __future__ import annotations

import importlib
from types import ModuleType

from fer_edge.errors import MissingExtraError


def require(module: str, extra: str) -> ModuleType:
    """Import `module`, which belongs to the extra `extra`.

    Raises:
        MissingExtraError: with the command that installs it. A module that is present but broken
            raises its own error, because installing it again would not help.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        raise MissingExtraError(
            f"this needs the Python package '{error.name}', which is not installed; "
            f"install it with: pip install 'fer-edge[{extra}]'"
        ) from error
