"""Faster training steps with the same weights: bfloat16 arithmetic and a fused batch norm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fer_edge.train.keras_setup import load_keras

keras = load_keras()

WIDTH = 16
"""Channels that the batch norm of oneDNN, TensorFlow's on x86-64, takes at once. Other numbers of channels go through
its reference code, five times as slow: about half of a step of ``compact``."""


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Let layers built in the block compute in ``float32`` or ``bfloat16``; variables stay float32 in both.

    With bfloat16 a processor with such instructions (AVX-512 BF16, AMX; every recent accelerator) trains faster:
    ``benchmarks/accuracy/steps.py`` measures by how much.
    """
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    try:
        yield
    finally:
        keras.mixed_precision.set_dtype_policy(before)


def fuse_batch_norm(classifier: Any) -> None:
    """Let batch norm layers train through the fused kernel of TensorFlow or PyTorch, where that is the backend.

    Keras 3 composes batch norm from a dozen operators on both, a fifth of the time of a step of ``compact`` on
    TensorFlow and more than half on PyTorch. Only the training call changes: what is saved is the plain layer.
    """
    fused = {"tensorflow": _by_tensorflow, "torch": _by_torch}.get(keras.backend.backend())
    if fused is None:
        return
    for layer in classifier.layers:
        if type(layer) is keras.layers.BatchNormalization:
            layer.call = _fused(layer, fused)


def _fused(layer: Any, fused: Callable[[Any, Any], Any]) -> Any:
    plain = layer.call

    def call(inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not training or len(inputs.shape) != 4:  # the kernels take maps only; after a dense layer it is cheap
            return plain(inputs, training=training, mask=mask)
        return fused(layer, inputs)

    return call


def _by_tensorflow(layer: Any, inputs: Any) -> Any:
    import tensorflow as tf

    channels = inputs.shape[-1]
    missing = -channels % WIDTH
    padding = ((0, 0), (0, 0), (0, 0), (0, missing))
    unused = tf.constant([], tf.float32)
    result = tf.raw_ops.FusedBatchNormV3(
        x=tf.pad(inputs, padding) if missing else inputs,
        scale=tf.pad(layer.gamma.value, ((0, missing),)),
        offset=tf.pad(layer.beta.value, ((0, missing),)),
        mean=unused,
        variance=unused,
        epsilon=layer.epsilon,
        is_training=True,
    )
    for statistic, batch in (
        (layer.moving_mean, result.batch_mean),
        (layer.moving_variance, result.batch_variance),
    ):
        statistic.assign(statistic * layer.momentum + batch[:channels] * (1 - layer.momentum))
    if not missing:
        return result.y

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def without_padding(padded: Any) -> Any:
        # The gradient of a slice is a slow operator; padding is the same, ten times as fast in bfloat16.
        return padded[..., :channels], lambda gradient: tf.pad(gradient, padding)

    return without_padding(result.y)


def _by_torch(layer: Any, inputs: Any) -> Any:
    import torch

    # A view of B x H x W x C in the order that the kernel names its axes in; nothing is copied.
    result = torch.nn.functional.batch_norm(
        inputs.permute(0, 3, 1, 2),
        layer.moving_mean.value,
        layer.moving_variance.value,
        layer.gamma.value,
        layer.beta.value,
        training=True,
        momentum=1 - layer.momentum,
        eps=layer.epsilon,
    )
    return result.permute(0, 2, 3, 1)
