"""What plots show."""

import itertools

import numpy as np
import pytest

from fer_edge.labels import EXPRESSIONS
from fer_edge.train.data.dataset import PUBLIC_TEST, TRAINING, Dataset, Split
from fer_edge.train.data.duplicates import conflicts, find_faults
from fer_edge.train.evaluate.inspection import inspect_dataset
from fer_edge.train.evaluate.plots import figure_of_curves, figure_of_groups, plot_curves
from fer_edge.train.loop.history import Epoch
from tests.train.data.trees import picture


def history(*accuracies):
    return [
        Epoch(number, 2 / number, 0.3, accuracy, accuracy and 1.5, 1e-3, 1.0)
        for number, accuracy in enumerate(accuracies, 1)
    ]


@pytest.mark.parametrize(("accuracies", "kept"), [((0.2, 0.5, 0.4, 0.3, 0.2), 2), ((None, None, None), 3), ((0.4,), 1)])
def test_curves_count_whole_epochs_and_mark_the_kept_one(accuracies, kept):
    figure = figure_of_curves(history(*accuracies))
    figure.draw_without_rendering()
    assert len(figure.axes) == 3
    for axes in figure.axes:
        ticks = axes.get_xticks()
        assert np.array_equal(ticks, np.round(ticks))
        low, high = axes.get_xlim()
        assert low < 1 <= len(accuracies) < high
        assert f"kept: epoch {kept}" in [text.get_text() for text in axes.get_legend().get_texts()]
        (mark,) = [line for line in axes.lines if line.get_linestyle() == "--"]
        assert set(mark.get_xdata()) == {kept}


def test_few_epochs_are_marked_for_one_has_no_length():
    for epochs, marker in ((1, "o"), (40, "None")):
        lines = figure_of_curves(history(*[0.3] * epochs)).axes[0].lines
        assert lines[0].get_marker() == marker


def test_curves_without_an_epoch(tmp_path):
    plot_curves([], tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_groups_of_a_sheet_stand_apart():
    sizes = (3, 2, 4, 2)
    groups = [[(picture(g), f"{g}.{i}") for i in range(size)] for g, size in enumerate(sizes)]
    figure = figure_of_groups(groups, "title", columns=8)
    shown = {axes.get_xlabel(): axes for axes in figure.axes if axes.get_xlabel()}
    assert len(shown) == sum(sizes)
    assert len(figure.artists) == len(groups) == 4
    colours = [patch.get_facecolor() for patch in figure.artists]
    assert all(one != other for one, other in itertools.pairwise(colours))
    extents = [patch.get_extents() for patch in figure.artists]
    for g, extent in enumerate(extents):
        inside = {name for name, axes in shown.items() if _contains(extent, axes.get_window_extent())}
        assert inside == {f"{g}.{i}" for i in range(sizes[g])}
        assert not any(extent.overlaps(other) for other in extents[:g])


def _contains(outer, inner):
    return outer.x0 <= inner.x0 and inner.x1 <= outer.x1 and outer.y0 <= inner.y0 and inner.y1 <= outer.y1


def test_a_group_longer_than_a_row_goes_on_in_the_next():
    groups = [[(picture(0), "a")] * 2, [(picture(1), "b")] * 11]
    figure = figure_of_groups(groups, "title", columns=8)
    assert len(figure.artists) == 3  # the second has two rows


def test_a_plain_sheet_has_no_grounds():
    assert not figure_of_groups([[(picture(0), "a")] * 9], "title").artists


def test_conflicts_are_found_across_splits(tmp_path):
    images = np.stack([picture(i) for i in (0, 1, 0, 2, 2)])
    training = Split(images, np.array([3, 3, 4, 1, 1]), np.arange(5))
    public = Split(images[:2], np.array([3, 6]), np.arange(5, 7))
    dataset = Dataset.make("set", EXPRESSIONS, {TRAINING: training, PUBLIC_TEST: public})
    found = conflicts(dataset)
    assert sorted(map(sorted, found)) == [
        [("PublicTest", 0), ("Training", 0), ("Training", 2)],
        [("PublicTest", 1), ("Training", 1)],
    ]
    assert len(found) == find_faults(dataset).conflicting
    inspect_dataset(dataset).draw(tmp_path)
    assert (tmp_path / "conflicting.png").is_file()
    assert not (tmp_path / "blank.png").exists()
