"""Text from strangers, made fit to be shown: labels, file names, headers, answers of cameras and brokers.

A terminal obeys what it is told between two letters: an escape sequence in a file name can clear the screen or change
the title, a bidirectional override can make one name look like another. All of it passes through here.
"""

from __future__ import annotations

import unicodedata

_ELLIPSIS = "…"
_HIDDEN = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"  # they shape letters in Persian and in Indic scripts


def printable(text: str, most: int | None = None) -> str:
    r"""Return text in which everything that is no visible character stands as an escape such as ``\x1b``.

    Args:
        text: any string, also one with lone surrogates, as names of files have that are no UTF-8.
        most: characters of the result at most; what is longer ends in an ellipsis. No escape is cut.
    """
    kept = text if most is None else text[: most + 1]
    if kept.isascii() and kept.isprintable() and (most is None or len(kept) <= most):
        return kept
    parts = [_visible(character) for character in kept]
    if most is None or sum(map(len, parts)) <= most:
        return "".join(parts)
    while sum(map(len, parts)) >= most:
        parts.pop()
    return "".join(parts) + _ELLIPSIS


def label_text(text: str) -> str:
    """Return a class name as it is kept everywhere: composed (NFC), trimmed, and `printable`.

    The same word can be written with one code point for a letter and its accent or with two; a data set unpacked on
    macOS has the other form than one unpacked on Linux.
    """
    return printable(unicodedata.normalize("NFC", text).strip())


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in _HIDDEN or (category == "Cf" and character not in _JOINERS):
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character
