"""A picture and a table of a network, layer by layer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fer_edge.lazy import require

_COLOURS = {"Conv2D": "#4c72b0", "DepthwiseConv2D": "#4c72b0", "Dense": "#c44e52", "LSTM": "#8172b3"}
_POOLING = "#55a868"
_OTHER = "#b0b0b0"


def write_summary(model: Any, path: Path) -> None:
    """Write Keras's own table of layers, shapes and parameters."""
    lines: list[str] = []
    # Keras draws the table with rich, which asks the variable for the width where there is no terminal.
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "120"
    try:
        model.summary(print_fn=lambda line: lines.append(line), line_length=110)
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def draw_model(model: Any, path: Path) -> None:
    """Draw the layers from top to bottom with their output shapes and parameters, and which feeds which."""
    require("matplotlib", "train")
    from matplotlib.figure import Figure

    layers = list(model.layers)
    place = {id(layer): -number for number, layer in enumerate(layers)}
    figure = Figure(figsize=(7.5, 0.6 + 0.36 * len(layers)), layout="constrained")
    axes = figure.subplots()
    for layer in layers:
        kind, y = type(layer).__name__, place[id(layer)]
        colour = _COLOURS.get(kind, _POOLING if "Pool" in kind else _OTHER)
        shape = "x".join(str(size) for size in layer.output.shape[1:])
        parameters = f"{layer.count_params():,} parameters" if layer.count_params() else ""
        axes.barh(y, 1.0, height=0.7, color=colour, alpha=0.85)
        axes.text(0.02, y, f"{layer.name}  ({kind})", va="center", color="white" if colour != _OTHER else "black")
        axes.text(1.03, y, shape, va="center", family="monospace")
        axes.text(1.32, y, parameters, va="center", color="#555555")
        for node in layer._inbound_nodes:
            for source in node.parent_nodes:
                _connect(axes, place[id(source.operation)], y)
    axes.set_xlim(-0.25, 1.75)
    axes.set_title(f"{model.name}: {model.count_params():,} parameters")
    axes.axis("off")
    figure.savefig(path, dpi=110)


def _connect(axes: Any, above: int, below: int) -> None:
    """Draw an arc beside the boxes where a layer feeds one that is not the next."""
    if above - below > 1:
        axes.plot([0, -0.12, -0.12, 0], [above, above - 0.2, below + 0.2, below], color="#333333", linewidth=1)
