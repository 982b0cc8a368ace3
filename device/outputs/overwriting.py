"""No output may replace what is read, or another output."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fer_edge.device.sources.folder import is_photo
from fer_edge.errors import ConfigError

Name = str | os.PathLike[str] | None


def refuse_overwriting(outputs: Mapping[str, Name], inputs: Mapping[str, Sequence[object]]) -> None:
    """Raise ConfigError where an output is an input, a photo of a folder that is one, or another output.

    Args:
        outputs: setting -> file that will be written; None and ``-`` are none.
        inputs: setting -> what will be read; what names no file or folder counts for nothing.
    """
    written = [(option, Path(name)) for option, name in outputs.items() if name and name != "-"]
    named = [(f"`{option}`", value) for option, values in inputs.items() for value in values]
    read = [(option, Path(name)) for option, name in named if isinstance(name, (str, os.PathLike)) and _exists(name)]
    for number, (option, path) in enumerate(written):
        others = [(f"`{other}`", another) for other, another in written[:number]]
        for other, another in [*read, *_photos(read if path.exists() else []), *others]:
            if _same(path, another):
                text = f"{other} and `{option}` name the same file twice ({path}); give each its own"
                raise ConfigError(option, text)


def _exists(name: str | os.PathLike[str]) -> bool:
    try:
        return bool(os.fspath(name)) and Path(name).exists()
    except OSError:  # too long for a file's name: an address, or shares of expressions
        return False


def _same(path: Path, other: Path) -> bool:
    if path.exists() and other.exists():
        return path.samefile(other)  # whatever link leads there
    return path.resolve() == other.resolve()


def _photos(read: list[tuple[str, Path]]) -> Iterator[tuple[str, Path]]:
    for option, folder in read:
        if folder.is_dir():
            yield from ((f"a photo of {option}", path) for path in filter(is_photo, folder.iterdir()))
