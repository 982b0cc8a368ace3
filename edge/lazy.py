"""What is imported when it is first needed: names of the package, and optional dependencies, explained when absent."""

from __future__ import annotations

import importlib
import os
import re
from types import ModuleType
from typing import Any

from fer_edge.errors import ConfigError, MissingExtraError
from fer_edge.text import printable

OPENCV_LIMITS = tuple(f"OPENCV_IO_MAX_IMAGE_{what}" for what in ("PIXELS", "WIDTH", "HEIGHT"))
"""Variables that OpenCV reads when it is loaded."""


def require(module: str, extra: str) -> ModuleType:
    """Import `module`, which belongs to the extra `extra`.

    Raises:
        MissingExtraError: with the command that installs it. A module that is present but broken
            raises its own error, because installing it again would not help.
        ConfigError: a variable of the environment with which OpenCV would end the process.
    """
    if module == "cv2":
        _check_opencv_limits()
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        raise MissingExtraError(
            f"this needs the Python package '{error.name}', which is not installed; "
            f"install it with: pip install 'fer-edge[{extra}]'"
        ) from error


def _check_opencv_limits() -> None:
    """Refuse what OpenCV cannot read as a number: it does not raise then, it aborts."""
    for name in OPENCV_LIMITS:
        value = os.environ.get(name)
        if value is not None and not re.fullmatch(r"[0-9]{1,12}(?:[KkMm][Bb])?", value):
            raise ConfigError(
                name,
                f"{name}: expected a number, or one with KB or MB, found '{printable(value, 40)}'; correct or unset it",
            )


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
