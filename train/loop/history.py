"""The epochs of a run: what was measured after each, and what follows from them."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Epoch:
    """A row of ``history.csv``.

    Attributes:
        epoch: its number, from 1.
        loss: mean over the steps, of the trained weights.
        train_accuracy: share of a sample of the training images, without augmentation, that the averaged weights
            are right about.
        holdout_accuracy: the same of the held-out images; None where nothing is held out.
        holdout_loss: mean cross-entropy of the averaged weights on them, likewise.
        learning_rate: after the last step.
        seconds: of the epoch with its measurements.
    """

    epoch: int
    loss: float
    train_accuracy: float
    holdout_accuracy: float | None
    holdout_loss: float | None
    learning_rate: float
    seconds: float


def best_epoch(history: Sequence[Epoch]) -> Epoch:
    """Return the epoch whose weights are kept: the best on the holdout (the later of equals), else the last."""
    return max(history, key=lambda e: (e.holdout_accuracy if e.holdout_accuracy is not None else 0.0, e.epoch))


def stops_early(history: Sequence[Epoch], patience: int) -> bool:
    """Say whether `patience` epochs have passed without a better holdout accuracy; never where `patience` is 0."""
    if not patience or not history:
        return False
    first_best = max(history, key=lambda e: (e.holdout_accuracy or 0.0, -e.epoch))  # as good again is no better
    return history[-1].epoch - first_best.epoch >= patience


def history_csv(history: Sequence[Epoch]) -> bytes:
    """Return the rows of ``history.csv``, with a header."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [field.name for field in dataclasses.fields(Epoch)])
    writer.writeheader()
    writer.writerows(dataclasses.asdict(epoch) for epoch in history)
    return stream.getvalue().encode()
