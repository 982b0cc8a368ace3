"""Exact duplicates: found, counted, and kept from crossing between training and test.

FER2013 holds the same picture several times, in different splits and under different labels. A model
that is tested on what it was trained on reports a better accuracy than it has.
"""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
from numpy.typing import NDArray

from fer_edge.train.data.dataset import TRAINING, Dataset, Split

BLANK_STD = 1.0
"""A picture whose pixels have a smaller standard deviation shows nothing."""
HOLDOUT = 0.1
"""Share of Training that decides inside a run (when to stop, which epoch to keep)."""


@dataclasses.dataclass(frozen=True)
class Findings:
    """What is wrong with a data set.

    Attributes:
        surplus: images that repeat an earlier one, over all splits.
        crossing: groups of equal images that occur in more than one split.
        conflicting: groups of equal images with more than one label.
        blank: images of standard deviation under `BLANK_STD`.
    """

    surplus: int
    crossing: int
    conflicting: int
    blank: int


def find_faults(dataset: Dataset) -> Findings:
    """Count duplicates, leaks between splits, conflicting labels and blank images."""
    names = list(dataset.splits)
    hashes = np.concatenate([dataset.splits[name].hashes() for name in names])
    labels = np.concatenate([dataset.splits[name].labels for name in names])
    origin = np.concatenate([np.full(len(dataset.splits[name]), i) for i, name in enumerate(names)])
    _, group = np.unique(hashes, return_inverse=True)
    return Findings(
        surplus=len(group) - int(group.max(initial=-1)) - 1,
        crossing=_groups_with_several(group, origin),
        conflicting=_groups_with_several(group, labels),
        blank=sum(int(blank(split).sum()) for split in dataset.splits.values()),
    )


def _groups_with_several(group: NDArray[np.int64], value: NDArray[np.int64]) -> int:
    pairs = np.unique(np.stack([group, value]), axis=1)
    return int((np.bincount(pairs[0]) > 1).sum())


def blank(split: Split) -> NDArray[np.bool_]:
    """Return which images show nothing."""
    deviation: NDArray[np.float64] = split.images.reshape(len(split), -1).std(axis=1)
    return deviation < BLANK_STD


def conflicting(split: Split) -> NDArray[np.bool_]:
    """Return which images occur again in the same split under another label."""
    _, group = np.unique(split.hashes(), return_inverse=True)
    pairs = np.unique(np.stack([group, split.labels]), axis=1)
    several: NDArray[np.bool_] = (np.bincount(pairs[0]) > 1)[group]
    return several


def conflicts(dataset: Dataset) -> list[list[tuple[str, int]]]:
    """Return the groups of equal images with more than one label: of each image its split and its place there."""
    places = [(name, i) for name, split in dataset.splits.items() for i in range(len(split))]
    hashes = np.concatenate([split.hashes() for split in dataset.splits.values()])
    labels = np.concatenate([split.labels for split in dataset.splits.values()])
    order = np.argsort(hashes, kind="stable")
    groups = np.split(order, np.flatnonzero(hashes[order][1:] != hashes[order][:-1]) + 1)
    return [[places[i] for i in group] for group in groups if len(np.unique(labels[group])) > 1]


def training_without_leaks(dataset: Dataset) -> Split:
    """Return the Training split without the images that also occur in another split."""
    training = dataset.split(TRAINING)
    others = [split.hashes() for name, split in dataset.splits.items() if name != TRAINING]
    if not others:
        return training
    return training.take(~np.isin(training.hashes(), np.concatenate(others)))


def hold_out(training: Split, share: float = HOLDOUT) -> tuple[Split, Split]:
    """Divide Training into what is trained on and a fixed, deduplicated part that decides inside a run.

    In each class the `share` of pictures with the lowest pixel digests is held out, one image for each
    picture, and no copy of it, under any label, stays in training. Where the subjects are known, the `share` of
    them with the lowest digests is held out with all their images instead. The choice depends on the pictures
    and subjects alone, not on their order or on a seed, so every run and every model holds out the same.

    Returns:
        (training, holdout).
    """
    hashes = training.hashes()
    subjects = np.full(len(training), -1) if training.subjects is None else training.subjects
    people = sorted(set(subjects[subjects >= 0].tolist()), key=lambda person: hashlib.sha256(b"%d" % person).digest())
    away = np.isin(subjects, people[: round(len(people) * share)])
    chosen = [np.flatnonzero(away)]
    for label in np.unique(training.labels):
        _, first = np.unique(np.where((training.labels == label) & (subjects < 0), hashes, ""), return_index=True)
        # np.unique sorts, so these are in digest order.
        first = first[(training.labels[first] == label) & (subjects[first] < 0)]
        chosen.append(first[: round(len(first) * share)])
    held = np.sort(np.concatenate(chosen))
    # A picture with conflicting labels could be chosen once for each of them.
    _, unique = np.unique(hashes[held], return_index=True)
    held = held[np.sort(unique)]
    return training.take(~(away | np.isin(hashes, hashes[held]))), training.take(held)
