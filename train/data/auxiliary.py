"""FER+ votes as something to learn beside FER2013's labels."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from fer_edge.errors import DataError
from fer_edge.train.data.dataset import TRAINING, Dataset
from fer_edge.train.data.ferplus import check_rows, read_votes


def with_auxiliary_votes(dataset: Dataset, path: Path) -> Dataset:
    """Return FER2013 with the ten votes of FER+ on each training image as shares in `Split.auxiliary`.

    All ten columns are taken as they were given, ``unknown`` and ``NF`` too: what is sought are features that tell
    what people see, not labels. Labels, images and the other splits stay as they are.

    Args:
        dataset: a FER2013 CSV file as it was read.
        path: ``fer2013new.csv``.

    Raises:
        DataError: `path` is not such a file, its rows are not those of `dataset`, or nobody voted on an image.
    """
    usages, counts = read_votes(path)
    check_rows(dataset, path, usages)
    training = dataset.split(TRAINING)
    votes = counts[training.rows].astype(np.float32)
    total = votes.sum(axis=1, keepdims=True)
    if not total.all():
        row = int(training.rows[np.flatnonzero(total[:, 0] == 0)[0]])
        raise DataError(f"{path}: expected votes on every training image, found none for image {row + 1}")
    splits = {**dataset.splits, TRAINING: dataclasses.replace(training, auxiliary=votes / total)}
    notes = (*dataset.notes, f"FER+ votes beside it from {path.name}")
    return Dataset.make(dataset.name, dataset.labels, splits, dataset.sources, notes)
