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

if TYPE_CHECKING:
    from fer_edge.metrics import Metrics
    from fer_edge.train.data.dataset import Dataset
    from fer_edge.train.loop.history import Epoch


COLOUR_ORDER = ("sad", "happy", "angry", "disgust", "surprise", "fear", "neutral")
"""Of the palette that the device and its page have, for lines and bars that are not of expressions."""


def _figure(width: float, height: float) -> Any:
    require("matplotlib", "train")
    import matplotlib
    from cycler import cycler
    from matplotlib.figure import Figure  # not pyplot: no global state, no screen

    matplotlib.rcParams["axes.prop_cycle"] = cycler(color=[ON_LIGHT[label] for label in COLOUR_ORDER])
    return Figure(figsize=(width, height), layout="constrained")


def plot_curves(history: Sequence[Epoch], path: Path) -> None:
    """Draw loss, accuracy and learning rate over the epochs."""
    figure = _figure(11, 3.6)
    epochs = [e.epoch for e in history]
    loss, accuracy, rate = figure.subplots(1, 3)
    loss.plot(epochs, [e.loss for e in history], label="of training, all parts")
    if history and history[0].holdout_loss is not None:
        loss.plot(epochs, [e.holdout_loss for e in history], label="held-out cross-entropy")
        accuracy.plot(epochs, [100 * (e.holdout_accuracy or 0) for e in history], color="C1", label="held-out")
    accuracy.plot(epochs, [100 * e.train_accuracy for e in history], color="C0", label="training, clean")
    rate.plot(epochs, [e.learning_rate for e in history], color="C2")
    titles = ("loss", "accuracy, averaged weights (%)", "learning rate")
    for axes, title in zip((loss, accuracy, rate), titles, strict=True):
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
    loss.legend()
    accuracy.legend()
    figure.savefig(path, dpi=110)


def plot_distribution(dataset: Dataset, path: Path) -> None:
    """Draw the number of images per class, one bar for each split."""
    labels, title = [plottable(label) for label in dataset.labels], plottable(dataset.name)
    figure = _figure(8, 4)
    axes = figure.subplots()
    positions = np.arange(len(dataset.labels))
    width = 0.8 / len(dataset.splits)
    for i, (name, split) in enumerate(dataset.splits.items()):
        counts = np.bincount(split.labels, minlength=len(dataset.labels))
        bars = axes.bar(positions + (i - (len(dataset.splits) - 1) / 2) * width, counts, width, label=name)
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


def plot_sheet(images: NDArray[np.uint8], captions: Sequence[str], title: str, path: Path, columns: int = 8) -> None:
    """Draw a contact sheet of N x size x size grey images with a caption below each."""
    captions, title = [plottable(caption) for caption in captions], plottable(title)
    rows = max(-(-len(images) // columns), 1)
    figure = _figure(1.35 * columns, 0.5 + 1.65 * rows)
    figure.suptitle(title)
    grid = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for axes in grid:
        axes.axis("off")
    for axes, image, caption in zip(grid, images, captions, strict=False):
        axes.imshow(image, cmap="gray", vmin=0, vmax=255)
        # As the label of the axis it stands below its picture and the layout keeps room for it.
        axes.set_axis_on()
        axes.set(xticks=(), yticks=(), frame_on=False)
        axes.set_xlabel(caption, fontsize=7, labelpad=2)
    figure.savefig(path, dpi=110)
