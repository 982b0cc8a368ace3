"""A data set under a model's labels, where the two do not know the same classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fer_edge.errors import DataError
from fer_edge.labels import canonical
from fer_edge.model_file import read_info
from fer_edge.train.data.classes import ordered
from fer_edge.train.data.dataset import Dataset


def fit_to_model(
    dataset: Dataset, split_name: str, paths: Sequence[Path], mapping: Mapping[str, str]
) -> tuple[Dataset, tuple[str, ...]]:
    """Return the data set under the labels of the first of several models, and sentences that say what that means.

    A model may know classes of which the split has no image, as an eight-class model does on CK+, which has no neutral:
    it is measured on those that occur, and whatever it takes for one of the others is a mistake.

    Args:
        dataset: what `mapping` was applied to already.
        split_name: the split to measure on.
        paths: ``.keras`` or ``.tflite`` files.
        mapping: class -> the class it becomes, as `fer_edge.train.evaluate.evaluation.JoinedClasses` joins them.

    Raises:
        DataError: the split has images of a class that the model does not know, or does not exist.
        ModelFileError: not a model of fer-edge.
    """
    labels = labels_of(paths[0], mapping)
    split = dataset.split(split_name)
    counts = np.bincount(split.labels, minlength=len(dataset.labels))
    occurring = [label for label, count in zip(dataset.labels, counts, strict=True) if count]
    check_known(dataset.name, occurring, paths[0], labels)
    notes = []
    if absent := [label for label in labels if label not in occurring]:
        notes.append(
            f"{dataset.name} has no image of {', '.join(absent)} in {split_name}: measured on the classes that occur; "
            f"what {paths[0].name} takes for {'it' if len(absent) == 1 else 'one of them'} counts as a mistake"
        )
        if absent == ["contempt"] and occurring:
            notes[-1] += "; for FER2013 there are labels with contempt: --ferplus fer2013new.csv"
    if labels == dataset.labels:
        return dataset, tuple(notes)
    position = np.array([labels.index(label) if label in labels else -1 for label in dataset.labels])
    splits = {}
    for name, part in dataset.splits.items():
        known = part.take(position[part.labels] >= 0)  # other splits may hold classes that this one does not
        if len(known):
            splits[name] = dataclasses.replace(known, labels=position[known.labels], votes=None)
    return dataclasses.replace(dataset, labels=labels, splits=splits), tuple(notes)


def labels_of(path: Path, mapping: Mapping[str, str]) -> tuple[str, ...]:
    """Return a model's labels after the joins of `mapping`."""
    names = {canonical(old): canonical(new) for old, new in mapping.items() if new}
    labels = read_info(path).labels
    return ordered(names.get(label, label) for label in labels) if set(labels) & set(names) else labels


def check_known(name: str, occurring: Sequence[str], path: Path, labels: Sequence[str]) -> None:
    """Raise DataError unless a model knows each class of which a data set has images."""
    unknown = [label for label in occurring if label not in labels]
    if unknown:
        out = " ".join(f"--map '{label}='" for label in unknown)
        joined = f"--map '{unknown[0]}={labels[0]}'"
        raise DataError(
            f"{name}: expected images of the classes of {path.name} ({', '.join(labels)}), found others: "
            f"{', '.join(unknown)}; leave their images out with {out}, or count them as a class that it knows, such as "
            f"with {joined}"
        )
