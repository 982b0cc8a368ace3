"""Accuracy of the file whose latency is measured; the caller says how it is found, since data sets are unknown here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Accuracy:
    """What an evaluation says about the file. All rates are shares in 0..1.

    Attributes:
        data: name of the data set.
        fingerprint: SHA-256 over its pixels and labels.
        split: of the data set.
        images: in the split.
        top1: share of the images whose class has the highest score.
        top1_se: its binomial standard error.
        balanced_accuracy: mean recall of the classes.
        macro_f1: mean F1 of the classes.
    """

    data: str
    fingerprint: str
    split: str
    images: int
    top1: float
    top1_se: float
    balanced_accuracy: float
    macro_f1: float


MeasureAccuracy = Callable[[Path, str, str, str], Accuracy]
"""(model file, its SHA-256, data, split) -> the accuracy of exactly this file."""
