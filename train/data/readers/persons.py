"""Trees with a folder for each person: ``<class>/<person>/...`` or ``<person>/<class>/...``.

Pictures of one person look alike, so whole persons are divided, as in CK+.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from fer_edge.errors import DataError
from fer_edge.labels import canonical
from fer_edge.train.data.classes import EIGHT
from fer_edge.train.data.dataset import SPLITS, TRAINING
from fer_edge.train.data.divide import divide
from fer_edge.train.data.files.tree import Tree
from fer_edge.train.data.pictures import Picture


def find_persons(tree: Tree, folders: Sequence[PurePosixPath]) -> list[tuple[PurePosixPath, str, str]]:
    """Return file, class and person of every picture, or nothing if pictures lie in `folders` themselves.

    The inner folders are the classes where all of them have names of expressions and not one of `folders` has; else
    `folders` are.

    Raises:
        DataError: a folder of a class without pictures in or below it.
    """
    if any(tree.pictures_in(folder) for folder in folders):
        return []
    inner = [(folder, child) for folder in folders for child in tree.folders_in(folder)]
    if not any(tree.pictures_in(child) or tree.pictures_below(child) for _, child in inner):
        return []
    outside = any(canonical(folder.name) in EIGHT for folder in folders)
    inside = all(canonical(child.name) in EIGHT for _, child in inner)
    found = []
    for folder, child in inner:
        class_folder, person = (child, folder) if inside and not outside else (folder, child)
        pictures = [*tree.pictures_in(child), *tree.pictures_below(child)]
        found += [(file, class_folder.name, person.name) for file in pictures]
    filled = {file.parts[: len(folders[0].parts)] for file, _, _ in found}
    if empty := next((folder for folder in folders if folder.parts not in filled), None):
        raise DataError(f"{tree.root / empty}: expected pictures in its folders, as in those beside it, found none")
    return found


def divided_by_person(pictures: Sequence[Picture]) -> tuple[list[Picture], str]:
    """Return the pictures with splits that no person crosses, and a note that says so."""
    persons = np.char.mod("%06d", np.array([picture.subject for picture in pictures]))
    splits = divide(persons)
    count = len(np.unique(persons))
    counts = ", ".join(f"{len(np.unique(persons[splits == name]))} in {name}" for name in SPLITS)
    note = f"divided by person, from the folders, fixed: {counts}; no person is in two splits"
    if set(splits.tolist()) == {TRAINING}:
        note = f"folders of {count} persons are too few to divide: every picture is in {TRAINING}, none in a test"
    divided = [dataclasses.replace(picture, split=str(split)) for picture, split in zip(pictures, splits, strict=True)]
    return divided, note


def tell_persons(pictures: Sequence[Picture]) -> tuple[str, ...]:
    """Say how many persons are in more than one split of a tree that has splits of its own."""
    splits: dict[int, set[str | None]] = defaultdict(set)
    for picture in pictures:
        if picture.subject >= 0:
            splits[picture.subject].add(picture.split)
    crossing = sum(len(each) > 1 for each in splits.values())
    if not splits:
        return ()
    if not crossing:
        return (f"{len(splits)} persons, from the folders; no person is in two splits",)
    return (
        f"{crossing} of {len(splits)} persons, from the folders, are in more than one split: a test on them does not "
        "say how it is with new faces",
    )
