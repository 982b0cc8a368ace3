r"""Standard output and error that a stranger's text cannot steer the terminal through.

File names, labels and answers of other machines are printed in many places. Here they all pass: whatever would be
obeyed and not seen becomes an escape such as ``\x1b``. fer-edge's own colours and its line of progress remain.
"""

from __future__ import annotations

import re
import sys
from typing import TextIO, cast

from fer_edge.text import printable

_OWN = re.compile(r"\A\r\x1b\[K|\x1b\[[\d;]*m")
"""What fer-edge writes itself: the start of a line that is written over, and colours, which do no harm."""
_KEPT = "\n\t"


class Terminal:
    """A text stream whose `write` makes everything visible; all else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text; return its length, as streams do."""
        self._stream.write(text if text.isascii() and text.isprintable() else visible(text))
        return len(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def visible(text: str) -> str:
    """Return text with escapes for all that a terminal would obey; bytes of names that are no text stay as they are."""
    parts, end = [], 0
    for own in _OWN.finditer(text):
        parts += [_visible(text[end : own.start()]), own[0]]
        end = own.end()
    return "".join([*parts, _visible(text[end:])])


def _visible(text: str) -> str:
    return "".join(each if each in _KEPT or "\udc80" <= each <= "\udcff" else printable(each) for each in text)


def guard_terminal() -> None:
    """Put a `Terminal` before this process's standard output and error."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, Terminal):
            setattr(sys, name, cast(TextIO, Terminal(stream)))


def native(stream: TextIO) -> TextIO:
    """Return the stream behind a `Terminal`, for a library that moves the cursor itself and shows nobody's text."""
    return stream._stream if isinstance(stream, Terminal) else stream
