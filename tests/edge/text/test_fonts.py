"""Which font has which letters, and what is drawn without one."""

import logging

import numpy as np
import pytest

from fer_edge.text import fonts

builder = pytest.importorskip("fontTools.fontBuilder")
pens = pytest.importorskip("fontTools.pens.ttGlyphPen")
pytest.importorskip("PIL.ImageFont")


def make_font(path, characters, name="Test"):
    """A font whose letters are bars of different heights."""

    def bar(height, width=400):
        pen = pens.TTGlyphPen(None)
        for place, point in enumerate(((50, 0), (50, height), (50 + width, height), (50 + width, 0))):
            (pen.moveTo if place == 0 else pen.lineTo)(point)
        pen.closePath()
        return pen.glyph()

    names = {ord(character): f"g{ord(character):x}" for character in characters}
    glyphs = {".notdef": bar(90, 90)} | {glyph: bar(200 + 190 * i % 600) for i, glyph in enumerate(names.values())}
    font = builder.FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(list(glyphs))
    font.setupCharacterMap(names)
    font.setupGlyf(glyphs)
    font.setupHorizontalMetrics(dict.fromkeys(glyphs, (500, 50)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": name, "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    path.parent.mkdir(parents=True, exist_ok=True)
    font.save(path)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The only folder with fonts, empty."""
    (tmp_path / "fonts").mkdir()
    monkeypatch.setattr(fonts, "FOLDERS", (str(tmp_path / "fonts"),))
    monkeypatch.setattr(fonts.importlib.util, "find_spec", lambda name: None)
    caches = (fonts._installed, fonts._font_with, fonts.stand_in)
    for cache in caches:
        cache.cache_clear()
    yield tmp_path / "fonts"
    for cache in caches:
        cache.cache_clear()


ASCII = "".join(map(chr, range(32, 127)))


@pytest.mark.parametrize("label", ["生气", "злой", "غضب", "क्रोध", "화남"])
def test_the_font_that_has_all_letters_is_found(folder, label):
    make_font(folder / "a-latin.ttf", ASCII)
    make_font(folder / "b-half.ttf", ASCII + label[0])
    right = make_font(folder / "deep/er/c.ttf", ASCII + label)
    (folder / "broken.ttf").write_bytes(b"no font")
    assert fonts.find_font(f"{label} 0.98") == right
    mask = fonts.text_mask(label, 20)
    assert mask.dtype == np.uint8
    assert mask.max() == 255


def test_upright_fonts_come_first(folder):
    make_font(folder / "a-BoldOblique.ttf", "ж")
    upright = make_font(folder / "z-Regular.ttf", "ж")
    assert fonts.find_font("ж") == upright


def test_without_a_font_a_number_stands_for_it_and_the_reason_is_said_once(folder, caplog):
    make_font(folder / "latin.ttf", ASCII)
    with caplog.at_level(logging.WARNING):
        assert fonts.text_mask("生气 0.98", 20) is None
        assert fonts.stand_in("生气", 1) == fonts.stand_in("生气", 1) == "class 1"
    (record,) = caplog.records
    assert "'生气' cannot be drawn and is shown as 'class 1': no installed font has its letters" in record.getMessage()


def test_without_pillow_it_says_so(folder, monkeypatch, caplog):
    make_font(folder / "c.ttf", ASCII + "злой")
    monkeypatch.setattr(fonts, "_pillow", lambda: None)
    with caplog.at_level(logging.WARNING):
        assert fonts.find_font("злой") is None
        fonts.stand_in("злой", 1)
    assert "Pillow is not installed; install it with: pip install pillow" in caplog.text


def test_a_font_of_placeholders_is_none(folder):
    make_font(folder / "LastResort-Regular.ttf", ASCII + "生气")
    assert fonts.find_font("生气") is None
