"""Labels in any script as pixels, in a font of this machine that has their letters.

OpenCV draws ASCII alone, and question marks for the rest. Pillow draws what a font has; neither Pillow nor a font for
every script is on every device, so whoever draws asks first, and says what is missing.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import logging
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_log = logging.getLogger(__name__)

FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
"""Where fonts are installed."""
ENDINGS = (".ttf", ".otf", ".ttc")
PROBE_PIXELS = 16
"""Size in which a font is asked for its glyphs."""
_PLACEHOLDERS = "lastresort"  # a font whose every glyph stands for a missing one
_LATER = ("bold", "italic", "oblique", "light", "thin", "black", "mono", "serif", "display", "condensed")
_NO_CHARACTER = "\U0010fffe"  # every font draws its box for a missing glyph


def find_font(text: str) -> Path | None:
    """Return an installed font that has a glyph for each character of `text`, upright and regular ones first.

    None without Pillow, or where no font has them all.
    """
    return _font_with("".join(sorted(set(unicodedata.normalize("NFC", text)))))


def text_mask(text: str, pixels: int) -> NDArray[np.uint8] | None:
    """Return `text` as an image of its ink, uint8 H x W, 255 where a letter is; None where no font has it.

    Args:
        text: one line.
        pixels: size of the letters.
    """
    font = find_font(text)
    return None if font is None else _mask(text, pixels, font)


@functools.cache
def stand_in(label: str, number: int) -> str:
    """Return what is drawn for a label that no font has: ``class 3``; logs once what is missing."""
    drawn = f"class {number}"
    if _pillow() is None:
        missing = "the Python package Pillow is not installed; install it with: pip install pillow"
    else:
        missing = "no installed font has its letters; install one, such as with: apt install fonts-noto-cjk fonts-noto"
    _log.warning("the label '%s' cannot be drawn and is shown as '%s': %s", label, drawn, missing)
    return drawn


def _pillow() -> Any:
    try:
        return importlib.import_module("PIL.ImageFont")
    except ImportError:
        return None


@functools.cache
def _font_with(characters: str) -> Path | None:
    image_font = _pillow()
    if image_font is None:
        return None
    return next((path for path in _installed() if _has(image_font, path, characters)), None)


@functools.cache
def _installed() -> tuple[Path, ...]:
    folders = [Path(folder).expanduser() for folder in FOLDERS if not folder.startswith("~") or os.environ.get("HOME")]
    spec = importlib.util.find_spec("matplotlib")
    if spec and spec.origin:
        folders.append(Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf")
    found = [
        file
        for folder in folders
        for file in _files(folder)
        if file.suffix.lower() in ENDINGS and _PLACEHOLDERS not in file.name.lower()
    ]
    return tuple(sorted(found, key=lambda file: (sum(word in file.name.lower() for word in _LATER), str(file))))


def _files(folder: Path) -> Iterator[Path]:
    for at, _, names in os.walk(folder):  # silent where a folder is absent or closed
        yield from (Path(at) / name for name in names)


def _has(image_font: Any, path: Path, characters: str) -> bool:
    try:
        font = image_font.truetype(str(path), PROBE_PIXELS)
        missing = bytes(font.getmask(_NO_CHARACTER))
        for character in characters:
            if character.isspace():
                continue
            glyph = font.getmask(character)
            if bytes(glyph) == missing or (unicodedata.category(character)[0] in "LNPS" and glyph.getbbox() is None):
                return False
    except (OSError, ValueError):  # no font, or one of bitmaps in other sizes
        return False
    return True


@functools.lru_cache(maxsize=512)  # a label with every score in steps of 0.01, for a few labels
def _mask(text: str, pixels: int, font_path: Path) -> NDArray[np.uint8]:
    font = _pillow().truetype(str(font_path), pixels)
    left, top, right, bottom = font.getbbox(text)
    image = importlib.import_module("PIL.Image").new("L", (max(right - min(left, 0), 1), max(bottom, 1)))
    importlib.import_module("PIL.ImageDraw").Draw(image).text((-min(left, 0), 0), text, fill=255, font=font)
    return np.ascontiguousarray(np.asarray(image, np.uint8)[max(top - 1, 0) :])
