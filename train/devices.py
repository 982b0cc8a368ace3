"""All accelerators of the machine, where Keras can use them: data-parallel training on JAX."""

from __future__ import annotations

from fer_edge.errors import DataError
from fer_edge.train.keras_setup import load_keras

keras = load_keras()


def use_all_devices(batch_size: int) -> int:
    """Let every device of the JAX backend take its part of each batch, see `keras.distribution`.

    Other backends train on one device.

    Returns:
        The number of devices in use.

    Raises:
        DataError: the batch cannot be divided evenly.
    """
    if keras.backend.backend() != "jax":
        return 1
    devices = len(keras.distribution.list_devices())
    if devices > 1:
        if batch_size % devices:
            raise DataError(f"--batch-size {batch_size}: expected a multiple of the {devices} devices; choose another")
        keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
    return devices
