"""Training on accelerators: all those of the machine, and an epoch as one program on a single one (JAX backend).

Keras's ``fit`` hands an accelerator one batch after the other, which takes longer than a small network's step does;
`ResidentEpochs` keeps the images in the accelerator's memory and lets it fetch the batches itself.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from fer_edge.errors import DataError
from fer_edge.preprocess import with_channels
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop.batches import EpochBatches

keras = load_keras()


def use_all_devices(batch_size: int) -> int:
    """Let every device of the JAX backend take its part of each batch, see `keras.distribution`.

    Those of the other processes are among them, where several train together. Other backends train on one device.

    Returns:
        The number of devices in use.

    Raises:
        DataError: the batch cannot be divided evenly, over devices or processes.
    """
    if keras.backend.backend() != "jax":
        return 1
    devices = len(keras.distribution.list_devices())
    if devices > 1:
        import jax

        here, processes = jax.local_device_count(), jax.process_count()
        if here * processes != devices:
            raise DataError(
                f"expected as many devices in each of {processes} processes, found {here} of {devices} here; "
                "hide some with CUDA_VISIBLE_DEVICES"
            )
        if batch_size % devices:
            raise DataError(f"--batch-size {batch_size}: expected a multiple of the {devices} devices; choose another")
        keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
    return devices


def accelerators() -> list[str]:
    """Return the names of what JAX or PyTorch train on beside the processor, such as ``NVIDIA H200``."""
    if keras.backend.backend() == "jax":
        import jax

        return [device.device_kind for device in jax.devices() if device.platform != "cpu"]
    if keras.backend.backend() == "torch":
        import torch

        return [torch.cuda.get_device_name()] if torch.cuda.is_available() else []
    return []


def can_stay_resident() -> bool:
    """Say whether training runs on one accelerator of the JAX backend.

    On a processor XLA runs convolutions inside of a loop on one core; over several devices ``fit`` divides the batches.
    """
    if keras.backend.backend() != "jax":
        return False
    import jax

    return jax.device_count() == 1 and jax.default_backend() != "cpu"


class ResidentEpochs:
    """Epochs of a compiled and built model: the steps of ``Model.fit``, in the same order."""

    def __init__(self, model: Any) -> None:
        """Prepare; compiled is at the first epoch.

        Args:
            model: a `fer_edge.train.loop.training_model.AugmentedModel`, compiled, with all its variables.
        """
        import jax

        self._model = model
        self._program = jax.jit(functools.partial(_epoch, model))

    def fit(self, batches: EpochBatches) -> float:
        """Train on the batches of one epoch and return its mean loss."""
        model = self._model
        model.reset_metrics()
        steps = len(batches)
        order = batches.order[: steps * batches.batch_size].reshape(steps, -1).astype(np.int32)
        variables = (
            model.trainable_variables,
            model.non_trainable_variables,
            model.optimizer.variables,
            model.metrics_variables,
        )
        state = tuple([v.value for v in part] for part in variables)
        loss, state = self._program(state, batches.images, batches.targets, order)
        for part, values in zip(variables, state, strict=True):
            for variable, value in zip(part, values, strict=True):
                variable.assign(value)
        return float(loss)


def _epoch(model: Any, state: Any, images: Any, targets: Any, order: Any) -> tuple[Any, Any]:
    """Return the mean loss and the state after the steps that take the rows of `order`, steps x B, one by one."""
    import jax
    import jax.numpy as jnp

    def step(before: Any, chosen: Any) -> tuple[Any, Any]:
        batch = {
            "image": with_channels(images[chosen]).astype("float32"),
            "targets": {name: rows[chosen] for name, rows in targets.items()},
        }
        logs, after = model.train_step(before, (batch, jnp.zeros(len(chosen))))
        # A loop's state keeps its types; Keras's own steps may return a number's type for an array's.
        after = jax.tree.map(lambda old, new: jnp.asarray(new, old.dtype), before, tuple(map(list, after)))
        return after, logs["loss"]

    state, losses = jax.lax.scan(step, state, order)
    return losses[-1], state  # Keras's metric is the mean of all steps so far
