"""Text from strangers: nothing that is obeyed and not seen, one Unicode form for a class."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_edge.labels import EXPRESSIONS, canonical
from fer_edge.text import label_text, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("happy", "happy"),
        ("fröhlich 生气 غضب क्रोध 😀", "fröhlich 生气 غضب क्रोध 😀"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b31m", r"\x9b31m"),
        ("a\r\nb\tc\0", r"a\r\nb\tc\x00"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        ("\u2066x\u2069", r"\u2066x\u2069"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # the joiner shapes Persian letters
        ("\udcff\ud800", r"\udcff\ud800"),
        ("line\u2028end", r"line\u2028end"),
    ],
)
def test_what_is_not_seen_is_an_escape(text, shown):
    assert printable(text) == shown


def test_long_text_is_cut():
    assert printable("a" * 100, 10) == "a" * 9 + "…"
    assert printable("a" * 10, 10) == "a" * 10


@given(st.text())
def test_any_text_can_be_stored_and_shown(text):
    shown = printable(text)
    shown.encode()
    assert "\x1b" not in shown
    assert shown.splitlines() in ([], [shown])
    assert printable(shown) == shown


@given(st.text())
def test_a_label_has_one_form(text):
    forms = {canonical(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert len(forms) == 1
    (label,) = forms
    assert canonical(label) == label


def test_labels_of_the_data_sets_stay():
    assert tuple(map(label_text, EXPRESSIONS)) == EXPRESSIONS
    assert label_text("  Happy ") == "Happy"


@pytest.mark.parametrize("text", ["x" * 41, "\x1b" * 40, "\u202e" * 20 + "y" * 30, "\U000e0001" * 9, "é" * 50])
def test_a_cut_text_is_as_short_as_was_asked_for_with_its_escapes(text):
    cut = printable(text, 40)
    assert len(cut) <= 40
    assert cut.endswith("…")
    assert printable(text).startswith(cut[:-1])
    assert len(printable(text)) > 40


def test_a_text_that_fits_is_not_cut():
    assert printable("x" * 40, 40) == "x" * 40
    assert printable("\x1b" * 10, 40) == r"\x1b" * 10
