"""Text for plots: in a font that has its letters, without meaning to matplotlib."""

from __future__ import annotations

import functools
import logging

from fer_edge.lazy import require
from fer_edge.text import printable
from fer_edge.text.fonts import find_font

_log = logging.getLogger(__name__)


def plottable(text: str) -> str:
    r"""Return text that matplotlib draws as it reads; call it before the figure is made.

    Letters that matplotlib's own font lacks are drawn from a font of this machine, which becomes a fallback of all
    figures that are made afterwards. Where there is none, they stand as escapes such as ``\u751f``, and a warning
    says what is missing, once. Dollar signs are no formulas.
    """
    lines = [printable(line) for line in text.split("\n")]
    foreign = frozenset(character for line in lines for character in line if ord(character) not in _own_letters())
    if foreign and not _add_fallback(foreign):
        lines = ["".join(_escaped(each) if each in foreign else each for each in line) for line in lines]
    return "\n".join(lines).replace("$", r"\$")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


@functools.cache
def _own_letters() -> frozenset[int]:
    require("matplotlib", "train")
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties())).get_charmap())


def _add_fallback(letters: frozenset[str]) -> bool:
    name = _fallback(letters)
    if name:
        import matplotlib

        families = matplotlib.rcParams["font.family"]
        if name not in families:
            matplotlib.rcParams["font.family"] = [*families, name]
    return bool(name)


@functools.cache
def _fallback(letters: frozenset[str]) -> str:
    """Return the name of a font with these letters, known to matplotlib; empty, with a warning, if there is none."""
    from matplotlib.font_manager import FontProperties, fontManager

    path = find_font("".join(letters))
    if path is None:
        shown = "".join(sorted(letters))[:20]
        _log.warning(
            "no installed font has the letters %s; plots show their code points; install one, such as with: "
            "apt install fonts-noto-cjk fonts-noto",
            shown,
        )
        return ""
    fontManager.addfont(str(path))
    return str(FontProperties(fname=str(path)).get_name())
