"""The averaged weights put in place for a while, with batch norm statistics that belong to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

BATCH = 256


@contextmanager
def averaged_weights(model: Any, images: NDArray[np.uint8]) -> Iterator[None]:
    """Put the optimizer's averaged weights into `model` for the block.

    The running statistics of batch norm were gathered under the weights as they changed from step to
    step; the averages need their own (Izmailov et al. 2018, arXiv:1803.05407, section 3.2). They are
    computed from `images`, uint8 N x S x S, a sample of the training images without augmentation.
    """
    variables = model.variables
    trained = [np.asarray(v.numpy()).copy() for v in variables]
    model.optimizer.put_averages(model.trainable_variables)
    for variable in model.trainable_variables:
        # On JAX the assignment shares the array, and prediction gives its arguments' memory away.
        variable.assign(np.array(variable.numpy()))
    _recompute_statistics(model.classifier, images)
    try:
        yield
    finally:
        for variable, value in zip(variables, trained, strict=True):
            variable.assign(value)


def _recompute_statistics(classifier: Any, images: NDArray[np.uint8]) -> None:
    norms = [layer for layer in classifier.layers if type(layer).__name__ == "BatchNormalization"]
    momenta = [norm.momentum for norm in norms]
    # Folders, zips and balanced sets lie class by class: the variance between classes must be in every batch.
    mixed = images[np.random.default_rng(0).permutation(len(images))]
    for number, batch in enumerate(np.array_split(mixed, max(len(images) // BATCH, 1))):
        for norm in norms:
            norm.momentum = number / (number + 1)  # the running mean of all batches so far
        classifier(batch[..., None].astype(np.float32), training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
