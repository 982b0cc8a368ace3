"""The pictures of an explanation, drawn without a screen, for light and for dark pages."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.lazy import require
from fer_edge.train.explain.gradients import ClassMap
from fer_edge.train.explain.network import Filters, Layer

DARK = {
    "figure.facecolor": "#15181c",
    "axes.facecolor": "#15181c",
    "savefig.facecolor": "#15181c",
    **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), "#d7dce2"),
    "axes.edgecolor": "#5a626c",
}
DPI = 110
COLUMNS = 16  # of a mosaic
STRONGEST = 16  # channels a layer in the overview
CLIPPED = 0.2  # per cent of a map's values beyond the end of its scale, so that a lone peak does not darken the rest
MOST_FILTERS = 64
DIVERGING, RISING = "RdBu_r", "viridis"

Draw = Callable[[Any], None]
"""Draws into an empty matplotlib figure, and gives it its size."""


def render(draw: Draw, *, dark: bool) -> bytes:
    """Return a drawing as PNG."""
    matplotlib = require("matplotlib", "train")
    from matplotlib.figure import Figure  # not pyplot: no global state, no screen

    with matplotlib.rc_context(DARK if dark else {}):
        figure = Figure(layout="constrained")
        draw(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=DPI, bbox_inches="tight", pad_inches=0.08, metadata={"Software": None})
    return buffer.getvalue()


def filters_figure(filters: Filters) -> Draw:
    """Draw the filters side by side, red adds and blue subtracts; of very many the largest only."""
    kernels = filters.kernels
    if len(kernels) > MOST_FILTERS:
        strongest = np.argsort(-np.linalg.norm(kernels.reshape(len(kernels), -1), axis=1), kind="stable")
        kernels = kernels[np.sort(strongest[:MOST_FILTERS])]

    def draw(figure: Any) -> None:
        columns = min(len(kernels), COLUMNS // 2)
        _draw_mosaic(figure, figure.subplots(), kernels, columns, "weight", inches=0.9, numbered=False)

    return draw


def layer_figure(layer: Layer, values: NDArray[np.float32]) -> Draw:
    """Draw all of a layer's output: its maps, its steps, or bars for its features."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        if values.ndim == 3:
            _draw_mosaic(figure, axes, values.transpose(2, 0, 1), min(values.shape[2], COLUMNS), "activation")
        elif values.ndim == 2:
            figure.set_size_inches(9, 3.5)
            image = axes.imshow(values, aspect="auto", **_colours(values))
            axes.set(xlabel="feature", ylabel="step")
            figure.colorbar(image, ax=axes, label="activation")
        else:
            figure.set_size_inches(9, 3)
            axes.bar(range(len(values)), values, width=0.9)
            axes.set(xlabel="feature", ylabel="activation")

    return draw


def overview_figure(layers: Sequence[Layer], outputs: Sequence[NDArray[np.float32]]) -> Draw:
    """Draw a row for each convolution: the channels with the highest mean activation, the highest first.

    The label of a row says how many of how many channels it shows.
    """

    def draw(figure: Any) -> None:
        figure.set_size_inches(11, 0.82 * len(layers) + 0.2)
        rows = np.atleast_1d(figure.subplots(len(layers)))
        for axes, layer, values in zip(rows, layers, outputs, strict=True):
            order = np.argsort(-values.mean(axis=(0, 1)), kind="stable")[:STRONGEST]
            image = axes.imshow(_mosaic(values[..., order].transpose(2, 0, 1), STRONGEST), **_colours(values, CLIPPED))
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            height, width, channels = values.shape
            axes.set_ylabel(
                f"{layer.name}\n{len(order)} of {channels} maps, {height}×{width}",
                rotation=0,
                ha="right",
                va="center",
                fontsize=8,
            )
            bar = figure.colorbar(image, ax=axes, fraction=0.02, pad=0.01)
            bar.ax.tick_params(labelsize=6)

    return draw


def saliency_figure(
    image: NDArray[np.uint8],
    gradient: NDArray[np.float32] | None,
    class_map: ClassMap | None,
    occlusion: NDArray[np.float32],
) -> Draw:
    """Draw the picture and, beside it, each saliency there is."""

    def draw(figure: Any) -> None:
        shown = [name for name, there in (("gradient", gradient), ("cam", class_map)) if there is not None]
        panels = figure.subplot_mosaic([["input", *shown, "occlusion"]])
        figure.set_size_inches(2.7 * len(panels) + 0.4, 3.1)
        for axes in panels.values():
            axes.axis("off")
        _show(panels["input"], image, "what the model sees")
        if gradient is not None:
            panels["gradient"].imshow(gradient, cmap="magma", vmin=0, vmax=np.percentile(gradient, 99.5))
            panels["gradient"].set_title("SmoothGrad", fontsize=10)
        if class_map is not None:
            _show(panels["cam"], image, f"Grad-CAM ({class_map.layer})")
            strength = class_map.values / max(class_map.values.max(), 1e-12)
            panels["cam"].imshow(strength, cmap="plasma", alpha=0.75 * strength, vmin=0, vmax=1)
        _show(panels["occlusion"], image, "occlusion")
        most = max(float(np.abs(occlusion).max()), 1e-6)
        overlay = panels["occlusion"].imshow(
            occlusion, cmap=DIVERGING, alpha=0.8 * np.abs(occlusion) / most, vmin=-most, vmax=most
        )
        bar = figure.colorbar(_opaque(overlay), ax=panels["occlusion"], fraction=0.046, label="fall of the logit")
        bar.ax.tick_params(labelsize=7)

    return draw


def dream_figure(rows: Sequence[tuple[str, NDArray[np.uint8], Sequence[str]]]) -> Draw:
    """Draw rows of dreams: (what it began with, N x size x size pictures, N titles)."""

    def draw(figure: Any) -> None:
        columns = len(rows[0][2])
        figure.set_size_inches(1.62 * columns + 0.5, 1.9 * len(rows) + 0.1)
        grid = figure.subplots(len(rows), columns, squeeze=False)
        for line, (begun, pictures, titles) in zip(grid, rows, strict=True):
            for axes, picture, title in zip(line, pictures, titles, strict=True):
                axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="bicubic")
                axes.set_title(title, fontsize=9)
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(False)
            line[0].set_ylabel(begun, fontsize=9)

    return draw


def _show(axes: Any, image: NDArray[np.uint8], title: str) -> None:
    axes.imshow(image, cmap="gray", vmin=0, vmax=255)
    axes.set_title(title, fontsize=10)


def _draw_mosaic(
    figure: Any,
    axes: Any,
    maps: NDArray[np.float32],
    columns: int,
    unit: str,
    *,
    inches: float = 0.6,
    numbered: bool = True,
) -> None:
    rows = -(-len(maps) // columns)
    height, width = maps.shape[1:]
    figure.set_size_inches(inches * columns + 1.4, inches * rows * height / width + 0.6)
    image = axes.imshow(_mosaic(maps, columns), **_colours(maps))
    axes.spines[:].set_visible(False)
    if numbered:  # the number of a channel is its row's plus its column's
        axes.set_xticks(np.arange(columns) * (width + 1) + (width - 1) / 2, range(columns))
        axes.set_yticks(np.arange(rows) * (height + 1) + (height - 1) / 2, np.arange(rows) * columns)
        axes.tick_params(length=0, labelsize=7)
    else:
        axes.set(xticks=[], yticks=[])
    figure.colorbar(image, ax=axes, fraction=0.03, pad=0.02, label=unit)


def _mosaic(maps: NDArray[np.float32], columns: int) -> NDArray[np.float32]:
    """Put N x height x width maps side by side, with gaps of one NaN."""
    count, height, width = maps.shape
    rows = -(-count // columns)
    cells = np.full((rows * columns, height + 1, width + 1), np.nan, np.float32)
    cells[:count, :-1, :-1] = maps
    grid = cells.reshape(rows, columns, height + 1, width + 1).swapaxes(1, 2)
    return grid.reshape(rows * (height + 1), -1)[:-1, :-1]


def _colours(values: NDArray[np.float32], clipped: float = 0) -> dict[str, Any]:
    """Return a scale from zero up, or one with zero in the middle where values are negative.

    Args:
        values: what is drawn.
        clipped: percentage of the values beyond the end of the scale.
    """
    most = max(float(np.percentile(np.abs(values), 100 - clipped)), 1e-6)
    if values.min() < 0:
        return {"cmap": DIVERGING, "vmin": -most, "vmax": most, "interpolation": "nearest"}
    return {"cmap": RISING, "vmin": 0, "vmax": most, "interpolation": "nearest"}


def _opaque(overlay: Any) -> Any:
    from matplotlib.cm import ScalarMappable

    return ScalarMappable(overlay.norm, overlay.cmap)
