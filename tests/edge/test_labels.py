"""The palette of expressions: seen by everybody, on every ground, and the same everywhere."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from fer_edge.labels import EXPRESSIONS, ON_DARK, ON_LIGHT, OTHER_ON_DARK, OTHER_ON_LIGHT

STYLE = Path(__file__).parents[2] / "device/web/static/style.css"

SIGHT = {
    "all colours": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""What linear RGB looks like (Machado, Oliveira and Fernandes 2009, severity 1)."""


def linear(colour):
    values = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def oklab(rgb):
    """Ottosson's uniform colour space, in which the distance of black and white is 1."""
    to_lms = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    to_lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return to_lab @ np.cbrt(to_lms @ np.clip(rgb, 0, 1))


def contrast(a, b):
    lighter, darker = sorted((linear(each) @ (0.2126, 0.7152, 0.0722) for each in (a, b)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("palette", [ON_DARK, ON_LIGHT], ids=["dark", "light"])
def test_any_two_expressions_are_told_apart(palette, sight):
    """0.1 is five times what can just be noticed; the colours of Okabe and Ito have 0.02 between two of theirs."""
    seen = {label: oklab(np.array(SIGHT[sight]) @ linear(colour)) for label, colour in palette.items()}
    nearest = min(combinations(seen, 2), key=lambda pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]))
    assert np.linalg.norm(seen[nearest[0]] - seen[nearest[1]]) > 0.1, nearest


def test_every_colour_is_seen_on_its_ground():
    assert set(ON_DARK) == set(ON_LIGHT) == set(EXPRESSIONS)
    for colour in (*ON_DARK.values(), OTHER_ON_DARK):
        assert contrast(colour, "#101416") >= 4.5
    for colour in (*ON_LIGHT.values(), OTHER_ON_LIGHT):
        assert contrast(colour, "#f6f5f1") >= 3


def test_the_page_has_the_same_colours():
    blocks = re.findall(r"\{([^{}]*--angry[^{}]*)\}", STYLE.read_text())
    found = [dict(re.findall(r"--(\w+): (#\w{6})", block)) for block in blocks]
    light, dark, stage = ({label: each[label] for label in (*EXPRESSIONS, "other")} for each in found)
    assert light == {**ON_LIGHT, "other": OTHER_ON_LIGHT}
    assert dark == stage == {**ON_DARK, "other": OTHER_ON_DARK}
