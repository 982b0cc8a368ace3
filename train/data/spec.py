"""What may stand for a data set on the command line; imports nothing heavy, so that ``--help`` is fast."""

from __future__ import annotations

from pathlib import Path

DEMO = "demo"

AUTO, CROP, UPRIGHT, AS_IS = "auto", "crop", "upright", "as-is"
FACES = (AUTO, CROP, UPRIGHT, AS_IS)
"""What may be done with pictures: find out, cut the largest face out, also turned upright, take them as they are."""


def parts_of(spec: str) -> list[str]:
    """Return the data sets that `spec` joins with ``+``, each ``demo`` or a path that exists; none if one does not.

    A path may hold a plus itself, as ``CK+48`` does: the longest that exists is meant.
    """
    words = spec.split("+")
    for count in range(len(words), 0, -1):
        first = "+".join(words[:count])
        if first and (first == DEMO or Path(first).exists()):
            if count == len(words):
                return [first]
            rest = parts_of("+".join(words[count:]))
            if rest:
                return [first, *rest]
    return []
