"""Class names: their order, and one name for what data sets call differently."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS, canonical
from fer_edge.train.data.dataset import Dataset

EIGHT = (*EXPRESSIONS, "contempt")
"""FER2013's classes in its order and the eighth of FER+, CK+ and AffectNet."""


def ordered(names: Iterable[str]) -> tuple[str, ...]:
    """Return the labels of a data set that has the classes `names`.

    Names known here come under their canonical form in the order of `EIGHT`, others behind them, sorted. Where
    all are among FER2013's seven, the labels are those seven, so that models and data sets of it fit together.
    """
    found = {canonical(name) for name in names}
    if found <= set(EXPRESSIONS):
        return EXPRESSIONS
    return (*(name for name in EIGHT if name in found), *sorted(found - set(EIGHT)))


def in_order(dataset: Dataset, labels: tuple[str, ...]) -> Dataset:
    """Return a data set with its classes in another order, as a network has them; as it is if they are others."""
    if dataset.labels == labels or set(dataset.labels) != set(labels):
        return dataset
    old = np.array([dataset.labels.index(label) for label in labels])
    new = np.argsort(old)
    splits = {
        name: dataclasses.replace(
            split, labels=new[split.labels], votes=None if split.votes is None else split.votes[:, old]
        )
        for name, split in dataset.splits.items()
    }
    return dataclasses.replace(dataset, labels=labels, splits=splits)


def map_each(datasets: Sequence[Dataset], mapping: Mapping[str, str]) -> list[Dataset]:
    """Rename classes of several data sets, join them, or leave their images out.

    Votes of joined classes are added. The label is then the class with most votes, the first of them where several
    have as many.

    Args:
        datasets: images with one label each, or with votes.
        mapping: class -> the class it becomes; an empty name leaves its images out.

    Raises:
        DataError: a class that none of them has, or one of them has no image left.
    """
    mapping = {canonical(old): canonical(new) for old, new in mapping.items()}
    known = ordered_union(datasets)
    for old in mapping:
        if old not in known:
            raise DataError(f"expected to map one of the classes {', '.join(known)}, found '{old}'")
    return [_mapped(dataset, {o: n for o, n in mapping.items() if o in dataset.labels}) for dataset in datasets]


def ordered_union(datasets: Sequence[Dataset]) -> tuple[str, ...]:
    """Return the labels of several data sets together."""
    return ordered(label for dataset in datasets for label in dataset.labels)


def _mapped(dataset: Dataset, mapping: Mapping[str, str]) -> Dataset:
    if not mapping:
        return dataset
    new_names = [mapping.get(label, label) for label in dataset.labels]
    labels = ordered(name for name in new_names if name)
    position = np.array([labels.index(name) if name else -1 for name in new_names])
    splits = {}
    for name, split in dataset.splits.items():
        kept = split.take(position[split.labels] >= 0)
        new_labels, votes = position[kept.labels], kept.votes
        if votes is not None:
            moved = np.zeros((len(kept), len(labels)), np.float32)
            for old, new in enumerate(position):
                if new >= 0:
                    moved[:, new] += votes[:, old]
            # Two classes joined may have more votes than the one that had most before.
            new_labels, votes = moved.argmax(axis=1), moved / moved.sum(axis=1, keepdims=True)
        if len(kept):
            splits[name] = dataclasses.replace(kept, labels=new_labels, votes=votes)
    if not splits:
        raise DataError(f"{dataset.name}: expected images after mapping its classes, found none")
    said = ", ".join(f"{old} to {new}" if new else f"{old} left out" for old, new in mapping.items())
    notes = (*dataset.notes, f"classes mapped: {said}")
    return Dataset.make(dataset.name, labels, splits, dataset.sources, notes, dataset.files, dataset.photos)
