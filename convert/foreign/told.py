"""What is told of a network that says nothing itself: which it is, its labels, and its name."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from fer_edge.convert.config import Labels
from fer_edge.convert.foreign.layers import LEGACY_SUFFIXES
from fer_edge.errors import ConfigError
from fer_edge.labels import canonical
from fer_edge.model_file import INFO_NAME, ZIP_DAMAGE
from fer_edge.shipped import FACE_PREFIX
from fer_edge.train.zoo.registry import CUSTOM, ZOO


def is_foreign(path: Path) -> bool:
    """Return whether a network was not made by ``fer-edge train``: it is whole, but says nothing of labels."""
    if path.is_dir() or path.suffix in LEGACY_SUFFIXES:
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            return path.suffix == ".keras" and INFO_NAME not in names and "config.json" in names
    except (OSError, *ZIP_DAMAGE):
        return False


def read_labels(labels: Labels) -> tuple[str, ...]:
    """Return the names of a network's outputs, in their order, as data sets have them.

    Raises:
        ConfigError: fewer than two, one twice, or an empty one.
    """
    if isinstance(labels, (str, os.PathLike)):
        path = Path(labels)
        try:
            text = path.read_text(encoding="utf-8") if path.is_file() else os.fspath(labels).replace(",", "\n")
        except (OSError, ValueError) as error:
            raise ConfigError("labels", f"`labels`: {path} cannot be read as names ({error})") from error
        names = [line.strip() for line in text.splitlines() if line.strip()]
    else:
        names = list(labels)
    found = tuple(map(canonical, names))
    if len(found) < 2 or len(set(found)) < len(found) or not all(found):
        raise ConfigError(
            "labels", f"`labels`: expected two or more different names, found {', '.join(found) or 'none'}"
        )
    return found


def name_of(path: Path) -> str:
    """Return what a converted foreign network is called: as its file, but never as one of the zoo."""
    stem = path.resolve().stem
    return f"own-{stem}" if stem in (*ZOO, CUSTOM) or stem.startswith(FACE_PREFIX) else stem
