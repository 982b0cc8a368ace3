"""A sheet of images beside augmented versions of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fer_edge.preprocess import normalise, with_channels
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.augment.augmenter import Augmenter
from fer_edge.train.data.dataset import TRAINING, Dataset
from fer_edge.train.evaluate.plots import plot_sheet

COLUMNS = 8


def draw_preview(dataset: Dataset, augmentation: Augmentation, contrast: str, seed: int, out: Path) -> None:
    """Draw an image of each class, and beside it augmented versions as training sees them.

    Args:
        dataset: its Training split is drawn from.
        augmentation: what is done to the images.
        contrast: normalisation of every input.
        seed: of the choice of images and of the augmentation.
        out: the PNG file.
    """
    split = dataset.split(TRAINING)
    rng = np.random.default_rng(seed)
    present = [label for label in range(len(dataset.labels)) if (split.labels == label).any()]
    chosen = np.array([rng.choice(np.flatnonzero(split.labels == label)) for label in present])
    augment = Augmenter(augmentation, seed)
    batch = with_channels(normalise(split.images[chosen], contrast)).astype(np.float32)
    # A batch a column, of all classes, so that mixing has others to mix with.
    targets = {"label": np.zeros((len(chosen), 1), np.float32)}
    augmented = [np.asarray(augment(batch, targets, training=True)[0])[..., 0] for _ in range(COLUMNS - 1)]
    images = np.stack([split.images[chosen], *(column.round().astype(np.uint8) for column in augmented)], axis=1)
    captions = [
        dataset.labels[label] if column == 0 else "" for label in split.labels[chosen] for column in range(COLUMNS)
    ]
    title = f"{dataset.name}: original, then augmented"
    plot_sheet(images.reshape(-1, *split.images.shape[1:]), captions, title, out, COLUMNS)
