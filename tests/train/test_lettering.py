"""Text of plots: fonts for other scripts, and nothing that matplotlib would take for a formula."""

import logging
import warnings

import numpy as np
import pytest

from fer_edge.metrics import evaluate_scores
from fer_edge.text import fonts
from fer_edge.train import lettering
from fer_edge.train.data.dataset import Dataset, Split
from fer_edge.train.evaluate.plots import plot_confusion, plot_distribution, plot_sheet
from fer_edge.train.lettering import plottable
from tests.edge.text.test_fonts import make_font

matplotlib = pytest.importorskip("matplotlib")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(fonts, "FOLDERS", (str(tmp_path / "fonts"),))
    caches = (fonts._installed, fonts._font_with, lettering._fallback)
    for cache in caches:
        cache.cache_clear()
    with matplotlib.rc_context():
        yield tmp_path / "fonts"
    for cache in caches:
        cache.cache_clear()


def plot_all(labels, path):
    """Every plot that shows labels; a glyph that is missing would be a warning."""
    images = np.zeros((2, 48, 48), np.uint8)
    split = Split(images, np.array([0, 1]), np.arange(2))
    dataset = Dataset.make(labels[0], tuple(labels), {"Training": split})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot_distribution(dataset, path / "a.png")
        plot_confusion(evaluate_scores(np.eye(2), np.array([0, 1]), tuple(labels)), labels[1], path / "b.png")
        plot_sheet(images, [f"Training 3\n{label}" for label in labels], labels[0], path / "c.png")


def test_other_scripts_are_drawn_from_another_font(folder, tmp_path):
    make_font(folder / "han.ttf", "生气悲伤", "Han Test")
    assert plottable("生气") == "生气"
    assert "Han Test" in matplotlib.rcParams["font.family"]
    plot_all(["生气", "悲伤"], tmp_path)


def test_without_a_font_code_points_are_shown_and_the_reason_is_said_once(folder, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        assert plottable("生气 1") == r"\u751f\u6c14 1"
        plot_all(["生气", "злой"], tmp_path)
    assert sum("no installed font has the letters" in r.getMessage() for r in caplog.records) == 1


@pytest.mark.parametrize("label", [r"$\frac{1", "a$b$c", "100 %", "{x}", "a_b^c", "\x1b[2J"])
def test_a_label_is_no_formula(tmp_path, label):
    plot_all([label, "other"], tmp_path)


def test_what_is_no_character_is_an_escape():
    assert plottable("\udcff\x1b") == r"\udcff\x1b"


def test_lines_stay_lines():
    assert plottable("Training 3\nhappy") == "Training 3\nhappy"
