"""Batches of an epoch: their order, and what is left of them when it is over."""

import gc
import types
import weakref

import numpy as np

from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop.batches import EpochBatches

keras = load_keras()


class Sum(keras.Model):
    """Trains nothing much on what the batches hold."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, inputs):
        return self.dense(keras.ops.mean(inputs["image"], axis=(1, 2)))[:, 0]


def test_an_epoch_that_is_over_lets_go_of_its_pictures():
    """Every epoch of a student has its own copy of the data, 66 MB of FER2013."""
    model = Sum()
    model.compile("sgd", "mse")
    images, targets = np.ones((40, 8, 8), np.uint8), np.ones((40, 7), np.float32)
    kept = weakref.ref(images), weakref.ref(targets)
    batches = EpochBatches(images, {"label": targets}, 10, seed=1, epoch=0)
    model.fit(batches, verbose=0, shuffle=False)
    batches.release()
    del images, targets, batches
    gc.collect()
    assert all(reference() is None for reference in kept)


def test_each_picture_once_in_an_order_of_the_epochs_own():
    images = np.arange(20, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 4), np.uint8)
    orders = []
    for epoch in (0, 1, 0):
        batches = EpochBatches(images, {"label": np.eye(20, dtype=np.float32)}, 5, seed=1, epoch=epoch)
        seen = [int(i) for n in range(len(batches)) for i in batches[n][0]["image"][:, 0, 0, 0]]
        assert sorted(seen) == list(range(20))
        orders.append(seen)
    assert orders[0] == orders[2] != orders[1]


def test_processes_that_train_together_divide_every_batch(monkeypatch):
    images = np.arange(20, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 4), np.uint8)
    targets = {"label": np.eye(20, dtype=np.float32)}
    alone = EpochBatches(images, targets, 8, seed=1, epoch=0)
    parts = []
    for process in range(2):
        together = types.SimpleNamespace(num_processes=2, data_shard_id=process)
        monkeypatch.setattr(keras.distribution, "distribution", lambda together=together: together)
        parts.append(EpochBatches(images, targets, 8, seed=1, epoch=0))
    assert [len(part) for part in parts] == [len(alone)] * 2 == [2] * 2
    for index in range(2):
        whole, *halves = (each[index][0] for each in (alone, *parts))
        assert np.array_equal(np.concatenate([half["image"] for half in halves]), whole["image"])
        labels = [half["targets"]["label"] for half in halves]
        assert np.array_equal(np.concatenate(labels), whole["targets"]["label"])
