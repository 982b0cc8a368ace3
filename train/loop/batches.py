"""Mini-batches in an order that depends on the seed and the epoch alone, so that a resumed run sees the same ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.train.keras_setup import load_keras

keras = load_keras()


class EpochBatches(keras.utils.PyDataset):  # type: ignore[misc, name-defined]
    """One epoch of shuffled batches for ``Model.fit``.

    Each item is ``({"image": float32 B x S x S x 1 (0..255), "target": float32 B x classes}, zeros)``; the second
    part only satisfies ``fit``. The last, smaller batch is dropped: every step has the same shape, and with
    a new order each epoch no image is left out for long.
    """

    def __init__(
        self, images: NDArray[np.uint8], targets: NDArray[np.float32], batch_size: int, *, seed: int, epoch: int
    ) -> None:
        # More than one worker makes Keras fetch the batches, in this order, in place of a tf.data pipeline that tunes
        # itself: that one looks up after 10 ms, 20 ms, 40 ms... and holds back the end of an epoch until it next does,
        # up to the epoch's own length later.
        super().__init__(workers=2)
        self.images, self.targets, self.batch_size = images, targets, min(batch_size, len(images))
        self.order = np.random.default_rng((seed, epoch)).permutation(len(images))

    def release(self) -> None:
        """Let go of the pictures, once ``fit`` is through: TensorFlow keeps what it read them from for good."""
        self.images, self.targets = self.images[:0].copy(), self.targets[:0].copy()

    def __len__(self) -> int:
        return len(self.order) // self.batch_size

    def __getitem__(self, index: int) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float32]]:
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        batch: dict[str, Any] = {
            "image": self.images[chosen][..., None].astype(np.float32),
            "target": self.targets[chosen],
        }
        return batch, np.zeros(len(chosen), np.float32)
