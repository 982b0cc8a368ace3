"""A short run that several tests look at."""

import pytest

from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.loop.training import train_model
from fer_edge.train.recipe import Recipe

LIGHT = Augmentation(flip=False, rotation=2.0, scale=0.02, shift=0.01, erasing=0.1, mixup=0.1)
SHORT = Recipe(epochs=3, batch_size=20, warmup_epochs=0.5, augmentation=LIGHT)


@pytest.fixture(scope="session")
def run(tiny, tmp_path_factory):
    """The folder of a finished run of `SHORT` on the tiny data, and its epochs; not to be changed."""
    out = tmp_path_factory.mktemp("run") / "a"
    return out, train_model(tiny, "compact", SHORT, out)
