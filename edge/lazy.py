"""What is imported when it is first needed: names of the package, and optional dependencies, explained when absent."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

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


def load(target: str) -> Any:
    """Return what ``module:attribute`` names, or the module of a ``module`` alone."""
    module, _, attribute = target.partition(":")
    imported = importlib.import_module(module)
    return getattr(imported, attribute) if attribute else imported


class CallablePackage(ModuleType):
    """A package that can be called as the function that its ``CALLED`` names, which is imported with the first call.

    So ``fer_edge.train(...)`` trains, and ``fer_edge.train.loop`` is still the package's part.
    """

    CALLED: str

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the function."""
        return load(self.CALLED)(*arguments, **keywords)
