"""FER+ votes beside FER2013's labels: as something else to learn, or mixed with them into one target.

What one person called an image and what ten people see in it disagree on a third of the images. FER2013's labels tell
acted anger, disgust and fear; the votes of FER+ (Barsoum et al. 2016, arXiv:1608.01041) tell a calm face from an angry
one. A network that learns from a mixture predicts the mixture of what two would that learn from one each.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS
from fer_edge.train.data.classes import EIGHT
from fer_edge.train.data.dataset import TRAINING, Dataset
from fer_edge.train.data.ferplus import MAJORITY, NO_EXPRESSION, check_rows, read_votes

SEEN = [EIGHT.index(name) for name in EXPRESSIONS]
NO_FACE = len(EIGHT) + NO_EXPRESSION.index("NF")


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


def with_fused_votes(dataset: Dataset, path: Path, share: float) -> Dataset:
    """Return FER2013 whose training images have mixtures of their label and of the votes of FER+ as targets.

    A class with a single vote counts as an outlier and loses it, as in FER+. Votes for contempt, ``unknown`` and no
    face are left out; an image without any other vote keeps its label alone. Training images that most people call no
    face are dropped. Test splits stay as they are, with FER2013's labels.

    Args:
        dataset: a FER2013 CSV file as it was read.
        path: ``fer2013new.csv``.
        share: of the votes in a target, 0..1; the label has the rest.

    Returns:
        The data set with the targets in `Split.votes`; an image's label is the target's greatest class, of equals
        FER2013's own.

    Raises:
        DataError: `path` is not such a file, its rows are not those of `dataset`, or it calls no image a face.
    """
    usages, counts = read_votes(path)
    check_rows(dataset, path, usages)
    training = dataset.split(TRAINING)
    votes = np.where(counts > 1, counts, 0)[training.rows]
    faces = votes[:, NO_FACE] <= MAJORITY * votes.sum(axis=1)
    if not faces.any():
        raise DataError(
            f"{path}: expected votes on faces, found no face in all images of {TRAINING}; "
            "use the fer2013new.csv as it was published"
        )
    targets = fused(training.labels, votes[:, SEEN], share)
    # The least that tells equals apart in float64.
    own = np.eye(len(EXPRESSIONS))[training.labels] * 1e-9
    kept = dataclasses.replace(training, votes=targets.astype(np.float32), labels=(targets + own).argmax(axis=1))
    note = (
        f"targets of {TRAINING} are {share:.0%} FER+ votes from {path.name}, the rest FER2013's labels; "
        f"{int((~faces).sum())} images left out as no face"
    )
    splits = {**dataset.splits, TRAINING: kept.take(faces)}
    return Dataset.make(dataset.name, dataset.labels, splits, dataset.sources, (*dataset.notes, note))


def fused(labels: NDArray[np.int64], votes: NDArray[np.int64], share: float) -> NDArray[np.float64]:
    """Return the mixtures, N x classes, of one label and some votes, N x classes, an image."""
    own = np.eye(votes.shape[1])[labels]
    total = votes.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, votes / np.maximum(total, 1), own)
    mixed: NDArray[np.float64] = (1 - share) * own + share * shares
    return mixed
