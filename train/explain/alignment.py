"""Where on the picture the cells of a layer's map lie.

A strided convolution of odd kernels with 'same' padding of an even picture pads on the far side only, which moves the
map: after three of them a cell's centre lies 3.5 pixels further down or right than stretching the map would put it.
With 'valid' padding the map covers less than the picture. The arithmetic is that of Araujo et al. 2019, "Computing
Receptive Fields of Convolutional Neural Networks", distill.pub/2019/computing-receptive-fields, section 2.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.lazy import require


@dataclasses.dataclass(frozen=True)
class Grid:
    """Cell `i` of a map is centred on pixel `start + step * i`, along one axis."""

    start: float
    step: float


def cell_grids(model: Any, name: str) -> tuple[Grid, Grid]:
    """Return where the cells of the layer called `name` lie, down and across: kernels need not be square.

    Follows the convolutions, poolings and croppings before it as one chain, past branches of one value a map, such as
    those of squeeze and excitation; where the sizes show that it is no chain, the map is taken to cover the picture
    evenly.
    """
    return _cell_grid(model, name, 0), _cell_grid(model, name, 1)


def _cell_grid(model: Any, name: str, axis: int) -> Grid:
    size = at = int(model.input_shape[1 + axis])
    start, step = 0.0, 1.0
    for layer in model.layers:
        if len(layer.output.shape) != 4 or _of_single_values(layer):
            continue
        window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
        if window is not None:
            reach = (window[axis] - 1) * getattr(layer, "dilation_rate", (1, 1))[axis] + 1
            stride = layer.strides[axis]
            before = 0
            if layer.padding == "same":
                before = max((-(-at // stride) - 1) * stride + reach - at, 0) // 2
                at = -(-at // stride)
            else:
                at = (at - reach) // stride + 1
            start += ((reach - 1) / 2 - before) * step
            step *= stride
        cropping = getattr(layer, "cropping", None)
        if cropping is not None:
            start += cropping[axis][0] * step
            at -= sum(cropping[axis])
        if layer.output.shape[1 + axis] != at:
            break
        if layer.name == name:
            return Grid(start, step)
    even = size / int(model.get_layer(name).output.shape[1 + axis])
    return Grid((even - 1) / 2, even)


def _of_single_values(layer: Any) -> bool:
    """Return whether a layer reads, or makes, one value a map and not a map: a mean, and what is computed from it."""
    if type(layer).__name__ == "GlobalAveragePooling2D":
        return True
    return not isinstance(layer.input, list) and tuple(layer.input.shape[1:3]) == (1, 1)


def onto_picture(values: NDArray[np.float32], grids: tuple[Grid, Grid], size: int) -> NDArray[np.float32]:
    """Interpolate a map of height x width cells, bicubically, at the pixels of a picture of size x size.

    `grids` are as from `cell_grids`.
    """
    cv2 = require("cv2", "train")
    rows, columns = (((np.arange(size) - grid.start) / grid.step).astype(np.float32) for grid in grids)
    across, down = np.meshgrid(columns, rows)
    placed: NDArray[np.float32] = cv2.remap(values, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return placed
