"""Where a map's cells lie, against where the pixels are that reach them."""

import numpy as np
import pytest

from fer_edge.train.explain.alignment import Grid, cell_grids, onto_picture
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.zoo.registry import ZOO


def chain(*options, size=48):
    keras = load_keras()
    inputs = x = keras.Input((size, size, 1))
    for number, (kind, arguments) in enumerate(options):
        x = getattr(keras.layers, kind)(**arguments, name=f"layer{number}")(x)
    return keras.Model(inputs, x)


def conv(**arguments):
    ones = {"kernel_initializer": "ones"}
    return "Conv2D", {"filters": 1, "kernel_size": 3, "padding": "same"} | ones | arguments


CHAINS = [
    [conv(), conv(strides=2), conv(strides=2), conv(strides=2)],
    [conv(padding="valid"), ("AveragePooling2D", {"pool_size": 2}), conv(padding="valid", kernel_size=4)],
    [("Cropping2D", {"cropping": 4}), conv(strides=2), ("MaxPooling2D", {"pool_size": 2})],
    [conv(kernel_size=(3, 4), strides=2), conv(kernel_size=(3, 4), strides=2), conv()],
    [conv(dilation_rate=2), ("AveragePooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}), conv()],
]


@pytest.mark.parametrize("options", CHAINS)
def test_a_cell_lies_in_the_middle_of_the_pixels_that_reach_it(options):
    model = chain(*options)
    last = model.layers[-1]
    cell = last.output.shape[1] // 2
    down, across = (grid.start + grid.step * cell for grid in cell_grids(model, last.name))
    # With kernels of ones a pixel reaches a cell exactly if a lone bright pixel there lights it.
    lone = np.zeros((2, 48, 48, 48, 1), np.float32)
    lone[0, range(48), range(48), round(across)] = 1
    lone[1, range(48), round(down), range(48)] = 1
    for pictures, expected in zip(lone, (down, across), strict=True):
        reached = np.flatnonzero(np.asarray(model(pictures))[:, cell, cell, 0] > 0)
        assert reached.mean() == pytest.approx(expected)


@pytest.mark.parametrize(("name", "across"), [("nano", 7.0), ("compact", 3.5), ("large", 3.5)])
def test_weights_beside_the_maps_do_not_move_them(name, across):
    """Strides 2, 1, 2, 1, 2, 1 with 'same' padding and kernels of 3x3 or 3x4, then squares of 2x2."""
    model = ZOO[name].build(48, 7, 0.0)
    assert cell_grids(model, "relu6") == (Grid(7.0, 8.0), Grid(across, 8.0))
    assert cell_grids(model, "pool") == (Grid(11.0, 16.0), Grid(across + 4, 16.0))


def test_a_map_of_unknown_origin_covers_the_picture_evenly():
    model = chain(("ZeroPadding2D", {"padding": 3}), conv(strides=2))
    assert cell_grids(model, "layer1") == (Grid((48 / 27 - 1) / 2, 48 / 27),) * 2


def test_a_map_is_put_where_its_cells_lie():
    values = np.zeros((6, 6), np.float32)
    values[3, 1] = 1
    placed = onto_picture(values, (Grid(7.0, 8.0), Grid(4.0, 8.0)), 48)
    assert np.unravel_index(placed.argmax(), placed.shape) == (31, 12)
    assert placed[31, 12] == pytest.approx(1)
    assert placed[7, 7] == pytest.approx(0)
