"""Pictures of data, training and results, as PNG files; drawn without a screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.labels import ON_LIGHT
from fer_edge.lazy import require
from fer_edge.train.lettering import plottable
from fer_edge.train.loop.history import Epoch, best_epoch

if TYPE_CHECKING:
    from fer_edge.metrics import Metrics
    from fer_edge.train.data.dataset import Dataset


COLOUR_ORDER = ("sad", "happy", "angry", "disgust", "surprise", "fear", "neutral")
"""Of the palette that the device and its page have, for lines and bars that are not of expressions."""

PALETTE = tuple(ON_LIGHT[label] for label in COLOUR_ORDER)

FEW_EPOCHS = 12
"""Up to so many, each epoch's value is marked: a line of one has no length."""

GROUP_TINTS = ("#e3ebf3", "#f2eadc")
"""Behind neighbouring groups of a sheet, in turn."""


def _figure(width: float, height: float) -> Any:
    require("matplotlib", "train")
    from matplotlib.figure import Figure  # not pyplot: no global state, no screen

    return Figure(figsize=(width, height), layout="constrained")


def plot_curves(history: Sequence[Epoch], path: Path) -> None:
    """Draw loss, accuracy and learning rate over the epochs, and which epoch was kept."""
    figure_of_curves(history).savefig(path, dpi=110)


def figure_of_curves(history: Sequence[Epoch]) -> Any:
    """Return the matplotlib figure of `plot_curves`."""
    figure = _figure(11, 3.6)
    from matplotlib.ticker import MaxNLocator

    epochs = [e.epoch for e in history]
    loss, accuracy, rate = figure.subplots(1, 3)
    line = {"marker": "o" if len(epochs) <= FEW_EPOCHS else None, "markersize": 4}
    loss.plot(epochs, [e.loss for e in history], color=PALETTE[0], label="of training, all parts", **line)
    if history and history[0].holdout_loss is not None:
        held = [100 * (e.holdout_accuracy or 0) for e in history]
        loss.plot(epochs, [e.holdout_loss for e in history], color=PALETTE[1], label="held-out cross-entropy", **line)
        accuracy.plot(epochs, held, color=PALETTE[1], label="held-out", **line)
    clean = [100 * e.train_accuracy for e in history]
    accuracy.plot(epochs, clean, color=PALETTE[0], label="training, clean", **line)
    rate.plot(epochs, [e.learning_rate for e in history], color=PALETTE[2], **line)
    titles = ("loss", "accuracy, averaged weights (%)", "learning rate")
    for axes, title in zip((loss, accuracy, rate), titles, strict=True):
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        if history:
            kept = best_epoch(history).epoch
            axes.axvline(kept, color="#555555", linestyle="--", linewidth=1.2, label=f"kept: epoch {kept}")
            axes.set_xlim(min(epochs) - 0.5, max(epochs) + 0.5)
            axes.legend()
    return figure


def plot_distribution(dataset: Dataset, path: Path) -> None:
    """Draw the number of images per class, one bar for each split."""
    labels, title = [plottable(label) for label in dataset.labels], plottable(dataset.name)
    figure = _figure(8, 4)
    axes = figure.subplots()
    positions = np.arange(len(dataset.labels))
    width = 0.8 / len(dataset.splits)
    for i, (name, split) in enumerate(dataset.splits.items()):
        counts = np.bincount(split.labels, minlength=len(dataset.labels))
        left = positions + (i - (len(dataset.splits) - 1) / 2) * width
        bars = axes.bar(left, counts, width, label=name, color=PALETTE[i % len(PALETTE)])
        axes.bar_label(bars, fontsize=7)
    axes.set_xticks(positions, labels)
    axes.set_ylabel("images")
    axes.set_title(f"{title}: class distribution")
    axes.legend()
    figure.savefig(path, dpi=110)


def plot_confusion(metrics: Metrics, title: str, path: Path) -> None:
    """Draw the confusion matrix: the share of each true class, with counts."""
    labels, title = [plottable(c.label) for c in metrics.classes], plottable(title)
    counts = metrics.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = _figure(1.5 + 0.85 * len(labels), 1.2 + 0.75 * len(labels))
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        axes.text(
            column,
            row,
            f"{share:.0%}\n{counts[row, column]}",
            ha="center",
            va="center",
            fontsize=8,
            color="white" if share > 0.5 else "black",
        )
    axes.set_xticks(range(len(labels)), labels, rotation=40, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(title)
    figure.colorbar(image, ax=axes, fraction=0.046, label="share of the true class")
    figure.savefig(path, dpi=110)


Cell = tuple[NDArray[np.uint8], str]
"""An image of a sheet, uint8 size x size (grey) or size x size x 3 (RGB), and its caption."""


def plot_sheet(images: NDArray[np.uint8], captions: Sequence[str], title: str, path: Path, columns: int = 8) -> None:
    """Draw a contact sheet of N images with a caption below each."""
    plot_groups([list(zip(images, captions, strict=False))], title, path, columns)


def plot_groups(groups: Sequence[Sequence[Cell]], title: str, path: Path, columns: int = 8) -> None:
    """Draw a contact sheet where each group of images that belong together stands on a ground of its own.

    A group begins a new row where it would not fit into the one before. A single group has no ground.
    """
    figure_of_groups(groups, title, columns).savefig(path, dpi=110)


def figure_of_groups(groups: Sequence[Sequence[Cell]], title: str, columns: int = 8) -> Any:
    """Return the matplotlib figure of `plot_groups`; the grounds are its artists."""
    places = _places([len(group) for group in groups], columns)
    rows = 1 + max((place // columns for group in places for place in group), default=0)
    figure = _figure(1.35 * columns, 0.5 + 1.65 * rows)
    figure.suptitle(plottable(title))
    grid = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for axes in grid:
        axes.axis("off")
    for group, held in zip(groups, places, strict=True):
        for (image, caption), place in zip(group, held, strict=True):
            axes = grid[place]
            axes.imshow(image, cmap="gray", vmin=0, vmax=255)
            # As the label of the axis it stands below its picture and the layout keeps room for it.
            axes.set_axis_on()
            axes.set(xticks=(), yticks=(), frame_on=False)
            axes.set_xlabel(plottable(caption), fontsize=7, labelpad=2)
    if len(groups) > 1:
        _draw_grounds(figure, grid, places, columns)
    return figure


def _places(sizes: Sequence[int], columns: int) -> list[list[int]]:
    """Return the cells of each group, row by row."""
    places, free = [], 0
    for size in sizes:
        if free % columns and free % columns + size > columns:
            free += columns - free % columns
        places.append(list(range(free, free + size)))
        free += size
    return places


def _draw_grounds(figure: Any, grid: NDArray[Any], places: Sequence[Sequence[int]], columns: int) -> None:
    """Draw a rectangle behind each row of each group, after the layout has found where the cells are."""
    from matplotlib.patches import Rectangle

    figure.draw_without_rendering()
    into_figure = figure.transFigure.inverted()
    for number, held in enumerate(places):
        for row in sorted({place // columns for place in held}):
            boxes = [grid[place].get_tightbbox() for place in held if place // columns == row]
            cells = [grid[place].get_window_extent() for place in held if place // columns == row]
            left, right = min(box.x0 for box in cells) - 3, max(box.x1 for box in cells) + 3
            low, high = min(box.y0 for box in boxes) - 3, max(box.y1 for box in boxes) + 4
            (x, y), (x1, y1) = into_figure.transform([(left, low), (right, high)])
            tint = GROUP_TINTS[number % len(GROUP_TINTS)]
            figure.add_artist(Rectangle((x, y), x1 - x, y1 - y, facecolor=tint, edgecolor="none", zorder=-1))
