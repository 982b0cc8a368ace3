"""Mini-batches in an order that depends on the seed and the epoch alone, so that a resumed run sees the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.preprocess import with_channels
from fer_edge.train.keras_setup import load_keras

keras = load_keras()

Targets = Mapping[str, NDArray[np.float32]]
"""What images are compared with, one row an image, by name:

``label``: N x classes, the label's distribution: one-hot, or the shares of several people's votes.
``teachers``: N x classes, the teachers' softened probabilities; there with distillation only.
``auxiliary``: N x K, shares over the classes of a second output; there where training has one.
"""


class EpochBatches(keras.utils.PyDataset):  # type: ignore[misc, name-defined]
    """One epoch of shuffled batches for ``Model.fit``.

    Each item is ``({"image": float32 B x S x S x C (0..255), "targets": {name: float32 B x columns}}, zeros)``; the
    second part only satisfies ``fit``. Where several processes train together, each has its B rows of every batch. The
    last, smaller batch is dropped: every step has the same shape, and with
    a new order each epoch no image is left out for long.
    """

    def __init__(self, images: NDArray[np.uint8], targets: Targets, batch_size: int, *, seed: int, epoch: int) -> None:
        # More than one worker makes Keras fetch the batches, in this order, instead of a tf.data pipeline that tunes
        # itself: that one looks up after 10 ms, 20 ms, 40 ms... and holds back the end of an epoch until it next does,
        # up to the epoch's own length later.
        super().__init__(workers=2)
        self.images, self.targets, self.batch_size = images, dict(targets), min(batch_size, len(images))
        self.order = np.random.default_rng((seed, epoch)).permutation(len(images))
        # Asked here: the distribution is known in this thread alone.
        together = keras.distribution.distribution()
        processes, process = (together.num_processes, together.data_shard_id) if together else (1, 0)
        share = self.batch_size // processes
        self._share = slice(process * share, (process + 1) * share)

    def release(self) -> None:
        """Let go of the images, once ``fit`` is through: TensorFlow keeps what it read them from for good."""
        self.images = self.images[:0].copy()
        self.targets = {name: rows[:0].copy() for name, rows in self.targets.items()}

    def __len__(self) -> int:
        return len(self.order) // self.batch_size

    def __getitem__(self, index: int) -> tuple[dict[str, Any], NDArray[np.float32]]:
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size][self._share]
        batch = {
            "image": with_channels(self.images[chosen]).astype(np.float32),
            "targets": {name: rows[chosen] for name, rows in self.targets.items()},
        }
        return batch, np.zeros(len(chosen), np.float32)
