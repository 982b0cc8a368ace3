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


def accelerators() -> list[str]:
    """Return the names of what JAX or PyTorch train on beside the processor, such as ``NVIDIA H200``."""
    if keras.backend.backend() == "jax":
        import jax

        return [device.device_kind for device in jax.devices() if device.platform != "cpu"]
    if keras.backend.backend() == "torch":
        import torch

        return [torch.cuda.get_device_name()] if torch.cuda.is_available() else []
    return []
