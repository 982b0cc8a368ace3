"""Several data sets as one: classes joined by name, splits by name, and every image knows where it came from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_edge.train.data.classes import ordered_union
from fer_edge.train.data.dataset import SPLITS, Dataset, PhotoFaces, Split


def join(parts: Sequence[Dataset]) -> Dataset:
    """Join data sets of equal image size.

    Classes of one name are one class; a class that some lack stays a class, and a note says so. An image without
    votes beside images with votes gets all of them for its label. Subjects of different parts stay different.

    Args:
        parts: two or more.
    """
    labels = ordered_union(parts)
    maps = [np.array([labels.index(label) for label in part.labels]) for part in parts]
    first_subject, subject = [], 0
    for part in parts:
        first_subject.append(subject)
        subject += 1 + max(int(_subjects(split).max(initial=-1)) for split in part.splits.values())
    splits = {}
    for name in SPLITS:
        there = [(i, part.splits[name]) for i, part in enumerate(parts) if name in part.splits]
        if not there:
            continue
        soft = any(split.votes is not None for _, split in there)
        known = any(split.subjects is not None for _, split in there)
        splits[name] = Split(
            np.concatenate([split.images for _, split in there]),
            np.concatenate([maps[i][split.labels] for i, split in there]),
            np.concatenate([split.rows for _, split in there]),
            votes=np.concatenate([_votes(split, maps[i], len(labels)) for i, split in there]) if soft else None,
            subjects=np.concatenate([_moved(_subjects(split), first_subject[i]) for i, split in there])
            if known
            else None,
            sources=np.concatenate([np.full(len(split), i, np.int64) for i, split in there]),
        )
    names = tuple(part.name for part in parts)
    notes = [f"{part.name}: {note}" for part in parts for note in part.notes]
    for position, label in enumerate(labels):
        having = [part.name for part, own in zip(parts, maps, strict=True) if _has(part, own, position)]
        if 0 < len(having) < len(parts):
            notes.append(f"class '{label}' comes from {', '.join(having)} alone")
    files = tuple(part.files[0] if part.files else () for part in parts)
    return Dataset.make("+".join(names), labels, splits, names, tuple(notes), files, _photos(parts))


def _photos(parts: Sequence[Dataset]) -> PhotoFaces | None:
    """Return what was found in the photos of all parts that have some; files with the names of their parts."""
    there = [(part.name, part.photos) for part in parts if part.photos]
    if not there:
        return None
    return PhotoFaces(
        sum(found.photos for _, found in there),
        tuple(f"{name}/{file}" for name, found in there for file in found.without),
        tuple(f"{name}/{file}" for name, found in there for file in found.several),
        upright=all(found.upright for _, found in there),
    )


def _has(part: Dataset, own: NDArray[np.int64], position: int) -> bool:
    return any((own[split.labels] == position).any() for split in part.splits.values())


def _subjects(split: Split) -> NDArray[np.int64]:
    return np.full(len(split), -1, np.int64) if split.subjects is None else split.subjects


def _moved(subjects: NDArray[np.int64], first: int) -> NDArray[np.int64]:
    return np.where(subjects < 0, subjects, subjects + first)


def _votes(split: Split, own: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    votes = np.zeros((len(split), classes), np.float32)
    if split.votes is None:
        votes[np.arange(len(split)), own[split.labels]] = 1
    else:
        votes[:, own] = split.votes
    return votes
