"""The exponential moving average of the weights, in place for a while, with batch norm statistics of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.preprocess import with_channels
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop.mirror_equivariance import tie_statistics

keras = load_keras()
BATCH = 256


@contextmanager
def averaged_weights(model: Any, images: NDArray[np.uint8]) -> Iterator[None]:
    """Put the optimizer's averaged weights into `model` for the block; after it, and after any error, the trained ones.

    The running statistics of batch norm were gathered under the weights as they changed from step to
    step; the averages need their own (Izmailov et al. 2018, arXiv:1803.05407, section 3.2). They are
    computed from `images`, uint8 N x S x S, a sample of the training images without augmentation.
    """
    variables = model.variables
    trained = [np.asarray(v.numpy()).copy() for v in variables]
    try:
        model.optimizer.put_averages(model.trainable_variables)
        for variable in model.trainable_variables:
            # On JAX the assignment shares the array, and prediction gives its arguments' memory away.
            variable.assign(np.array(variable.numpy()))
        recompute_statistics(model.classifier, images)
        yield
    finally:
        for variable, value in zip(variables, trained, strict=True):
            variable.assign(value)


def recompute_statistics(classifier: Any, images: NDArray[np.uint8]) -> None:
    """Give a network's batch norms the statistics of images, uint8 N x rows x columns, under its present weights."""
    norms = [layer for layer in classifier.layers if type(layer).__name__ == "BatchNormalization"]
    if not norms:
        return
    statistics = [v for norm in norms for v in (norm.moving_mean, norm.moving_variance)]
    of_batch = _jax_program(classifier) if keras.backend.backend() == "jax" else _call
    # Folders, zips and balanced sets lie class by class: the variance between classes must be in every batch.
    mixed = images[np.random.default_rng(0).permutation(len(images))]
    batches = np.array_split(mixed, max(len(images) // BATCH, 1))
    sums: list[Any] = [0.0] * len(statistics)
    with _without_memory(norms):
        for batch in batches:
            found = of_batch(classifier, statistics, with_channels(batch).astype(np.float32))
            sums = [so_far + np.asarray(value, np.float64) for so_far, value in zip(sums, found, strict=True)]
    for statistic, total in zip(statistics, sums, strict=True):
        statistic.assign((total / len(batches)).astype(np.float32))
    for norm in norms:
        tie_statistics(norm)


@contextmanager
def _without_memory(norms: list[Any]) -> Iterator[None]:
    """Let batch norms have, after a call in the block, the statistics of its batch alone."""
    momenta = [norm.momentum for norm in norms]
    try:
        for norm in norms:
            norm.momentum = 0.0
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def _call(classifier: Any, statistics: list[Any], pixels: Any) -> list[Any]:
    classifier(pixels, training=True)
    return [statistic.numpy() for statistic in statistics]


@functools.lru_cache(maxsize=1)  # compiled once a run
def _jax_program(classifier: Any) -> Callable[[Any, list[Any], Any], list[Any]]:
    """Return `_call` as one program: JAX hands an accelerator each small operator by itself otherwise."""
    import jax

    @jax.jit
    def state_after(trainable: Any, other: Any, pixels: Any) -> Any:
        return classifier.stateless_call(trainable, other, pixels, training=True)[1]

    def call(classifier: Any, statistics: list[Any], pixels: Any) -> list[Any]:
        other = classifier.non_trainable_variables
        after = state_after([v.value for v in classifier.trainable_variables], [v.value for v in other], pixels)
        by_variable = {id(variable): value for variable, value in zip(other, after, strict=True)}
        return [by_variable[id(statistic)] for statistic in statistics]

    return call
