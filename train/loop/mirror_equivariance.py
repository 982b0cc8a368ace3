"""Mirror-equivariant networks: the same answer for an image and its mirror image, by weights tied in pairs.

Faces are about as likely either way round, and a network without such ties learns most of its kernels twice. With
them the second half of every layer's channels is the mirror image of the first: mirrored kernels on mirrored channels.
An image's mirror image then has mirrored maps with the halves exchanged, and the last layer, whose weights are tied
alike, cannot tell the two apart. There are half as many numbers to learn, and no more multiply-adds (Cohen and Welling
2016, arXiv:1602.07576, for a group of one reflection; Bökman et al. 2025, arXiv:2502.05169).

The network stays the plain one: the ties are constraints on its weights while it is trained, linear ones, so that a
gradient projected onto them is the gradient of the tied weights. What is saved has no trace of them but its values.
"""

from __future__ import annotations

from typing import Any, NoReturn

from fer_edge.errors import DataError
from fer_edge.train.keras_setup import load_keras

keras = load_keras()
ops = keras.ops

WEIGHTED = ("Conv2D", "Dense", "BatchNormalization")
PASSIVE = (
    *("InputLayer", "Rescaling", "ReLU", "Activation", "Softmax", "Dropout", "Flatten", "Add", "Multiply"),
    *("MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D"),
)
"""Layers that are tied, and those that treat mirrored maps and exchanged channels like any others."""


class MirroredPairs(keras.constraints.Constraint):  # type: ignore[misc, name-defined]
    """Projects weights onto those whose second half mirrors the first.

    Attributes:
        width: axis of the weights along the picture's width, if there is one.
        halves: axes whose second half belongs to the mirror image.
        shape: in which the weights have these axes, or None for their own.
    """

    def __init__(self, halves: tuple[int, ...], width: int | None = None, shape: tuple[int, ...] | None = None) -> None:
        self.halves, self.width, self.shape = halves, width, shape

    def mirrored(self, weights: Any) -> Any:
        """Return the weights that do to a mirrored picture what `weights` do to the picture."""
        laid = weights if self.shape is None else ops.reshape(weights, self.shape)
        if self.width is not None:
            laid = ops.flip(laid, self.width)
        for axis in self.halves:
            laid = ops.roll(laid, laid.shape[axis] // 2, axis=axis)
        return ops.reshape(laid, weights.shape)

    def __call__(self, weights: Any) -> Any:
        """Return the nearest tied weights."""
        return (weights + self.mirrored(weights)) / 2


def tie(classifier: Any) -> None:
    """Tie the weights of a network of convolutions, before it is trained.

    Args:
        classifier: keras.Model from pixels to class probabilities.

    Raises:
        DataError: a layer that cannot be tied: an odd number of channels, a stride or a pooling that takes other
            pixels of the mirror image, or a kind of layer that is not known here.
    """
    maps: tuple[int, ...] = ()  # of what a dense layer reads flattened
    last = [layer for layer in classifier.layers if layer.weights][-1]
    for layer in classifier.layers:
        kind = type(layer).__name__
        _check(layer, kind, last, bool(maps))
        if kind == "Flatten":
            maps = tuple(layer.input.shape[1:])
        elif kind == "Conv2D":
            halves = (3,) if layer.kernel.shape[2] == 1 else (2, 3)
            layer.kernel.constraint = MirroredPairs(halves, width=1)
        elif kind == "Dense":
            layer.kernel.constraint = of_dense(maps, layer.kernel.shape, last=layer is last)
            maps = ()
        elif kind == "BatchNormalization":
            layer.gamma.constraint = layer.beta.constraint = MirroredPairs((0,))
        if kind in ("Conv2D", "Dense") and layer.bias is not None and layer is not last:
            layer.bias.constraint = MirroredPairs((0,))
    for variable in classifier.trainable_variables:
        if variable.constraint is not None:
            variable.assign(variable.constraint(variable.value))


def of_dense(maps: tuple[int, ...], shape: tuple[int, ...], *, last: bool) -> MirroredPairs:
    """Return the ties of a dense layer's kernel.

    Args:
        maps: height, width and channels of the maps that it reads flattened, () where it reads a vector.
        shape: of the kernel, inputs x outputs.
        last: whether the outputs are what is said of the picture, alike for both, and not features.
    """
    axes = len(maps) or 1
    return MirroredPairs(
        (axes - 1,) if last else (axes - 1, axes),
        width=1 if maps else None,
        shape=(*maps, shape[1]) if maps else None,
    )


def tie_statistics(norm: Any) -> None:
    """Give both channels of a pair the same statistics in a batch norm whose scales are tied; others stay."""
    pairs = norm.gamma.constraint if norm.scale else None
    if isinstance(pairs, MirroredPairs):
        for statistic in (norm.moving_mean, norm.moving_variance):
            statistic.assign(pairs(statistic.value))


def _check(layer: Any, kind: str, last: Any, flattened: bool) -> None:
    if kind not in (*WEIGHTED, *PASSIVE) or (layer is last and kind != "Dense"):
        _refuse(layer, "a layer of another kind")
    if kind == "BatchNormalization" and (flattened or not (layer.scale and layer.center)):
        _refuse(layer, "one of flattened maps, or without scale or offset")
    if kind == "Conv2D" and layer.groups > 1:
        _refuse(layer, f"{layer.groups} groups")
    if kind in ("Conv2D", "Dense") and layer is not last and layer.kernel.shape[-1] % 2:
        _refuse(layer, f"{layer.kernel.shape[-1]} channels, an odd number")
    if hasattr(layer, "strides"):
        window = layer.kernel_size if kind == "Conv2D" else layer.pool_size
        width, out = int(layer.input.shape[2]), int(layer.output.shape[2])
        left_over = width - window[1] - (out - 1) * layer.strides[1]
        # What a window leaves out, and the odd column that 'same' adds, are at the right.
        if left_over > 0 or left_over % 2:
            _refuse(layer, f"a window of {window[1]} pixels and a stride of {layer.strides[1]} on {width}")


def _refuse(layer: Any, found: str) -> NoReturn:
    raise DataError(
        f"layer '{layer.name}' ({type(layer).__name__}): expected one that --symmetric can tie in mirrored pairs, "
        f"found {found}; choose another network, or leave --symmetric out"
    )
