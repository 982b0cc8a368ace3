"""YAML files whose errors name the line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from fer_edge.errors import DataError
from fer_edge.lazy import require


def compose_yaml(path: Path, what: str, keys: str) -> Any:
    """Return the root node of a YAML file; nodes know their lines.

    Args:
        path: of the file.
        what: it holds, for errors, such as ``a network``.
        keys: that `what` has, for the error of an empty file.

    Raises:
        DataError: it cannot be read, is empty or no YAML.
        MissingExtraError: PyYAML is not installed.
    """
    yaml = require("yaml", "train")
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise DataError(f"{path}: expected {what} in YAML, but it cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}:" if mark else ""
        reason = str(getattr(error, "problem", None) or error).splitlines()[0]
        raise DataError(f"{path}:{line} expected YAML, found something else ({reason})") from error
    if root is None:
        raise DataError(f"{path}: expected {what} with the keys {keys}, found an empty file")
    return root


def refuse_node(path: Path, node: Any, expected: str, found: object) -> NoReturn:
    """Raise the DataError of a node that is not what was expected, with its line."""
    raise DataError(f"{path}: line {node.start_mark.line + 1}: {expected}, found {found}")


def shown(node: Any) -> str:
    """Return a node as an error shows it."""
    return f"{node.value[:40]!r}" if node.id == "scalar" else f"a {node.id}"
