"""One folder for each class, with or without folders of splits above them; any classes, any pictures.

- ``train/<class>/...``, ``test/<class>/...``: FER2013's folder export (a file name that begins with
  ``Training_``, ``PublicTest_`` or ``PrivateTest_`` says its split), AffectNet and others as they are passed around,
  and YOLO's trees for classification with ``train`` and ``val``. `split_names` says which name means which split.
- ``<class>/...`` alone: divided 80/10/10 in each class by digests of the pictures.
- Either with a folder for each person between the class and its pictures, or around the classes: see `persons`.

Class folders with the names of expressions, or synonyms of them, become these; other names are labels of their own.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from fer_edge.errors import DataError
from fer_edge.images import is_image_name
from fer_edge.labels import EXPRESSIONS, canonical
from fer_edge.text import label_text, printable
from fer_edge.train.data.classes import EIGHT, ordered
from fer_edge.train.data.dataset import SPLITS, TRAINING
from fer_edge.train.data.files.tree import Tree
from fer_edge.train.data.pictures import Listing, Picture
from fer_edge.train.data.readers.persons import divided_by_person, find_persons, tell_persons
from fer_edge.train.data.split_names import official_splits

FEWEST = 3
"""Pictures a class needs to be in all three splits."""

_DETECTION = {"images", "labels"}
"""Folders of a data set for YOLO's detectors: boxes in text files, and no folder for a class."""
_SHOWN_ENDINGS = 4


@dataclasses.dataclass(frozen=True)
class Found:
    """A picture in a folder that says its class.

    Attributes:
        file: path below the tree's root.
        folder: name of the class's folder.
        split: split that a folder or the file's name says; None where nothing does.
        person: name of the person's folder; empty where there is none.
    """

    file: PurePosixPath
    folder: str
    split: str | None
    person: str = ""


def list_pictures(tree: Tree) -> Listing:
    """Find the classes and pictures of a tree.

    Raises:
        DataError: no class folders, one class, one without pictures or with too few to divide, a test class
            that Training lacks, a layout that says no class for a picture.
    """
    top = _top(tree)
    splits = _split_folders(tree, top)
    if not splits:
        return _divided(tree, top)
    found: list[Found] = []
    for folder, split in splits:
        fewest = 2 if split == TRAINING else 1
        found += [dataclasses.replace(each, split=_split(each, split)) for each in _pictures(tree, folder, fewest)]
    names = {canonical(each.folder) for each in found}
    labels = ordered(names)
    learned = {canonical(each.folder) for each in found if each.split == TRAINING}
    if learned and labels != EXPRESSIONS and (unseen := sorted(names - learned)):
        raise DataError(
            f"{tree.root / top}: expected every test class in training as well "
            f"({', '.join(sorted(learned))}), found '{unseen[0]}' in test alone; leave it out, or add it to training"
        )
    pictures = _as_pictures(found, labels)
    return Listing(labels, pictures, (*tell_persons(pictures), *_notes(tree, found, labels)))


def _split(each: Found, split: str) -> str:
    prefix = each.file.name.split("_", 1)[0]
    return prefix if prefix in SPLITS else split


def _top(tree: Tree) -> PurePosixPath:
    """Return the folder that holds the classes or splits: the root, or what it holds alone."""
    top = PurePosixPath()
    while True:
        inside = tree.folders_in(top)
        alone = len(inside) == 1 and not _split_folders(tree, top) and canonical(inside[0].name) not in EIGHT
        if not alone or not tree.folders_in(inside[0]):
            return top
        top = inside[0]


def _split_folders(tree: Tree, top: PurePosixPath) -> list[tuple[PurePosixPath, str]]:
    folders = tree.folders_in(top)
    splits = official_splits(folder.name for folder in folders)
    found = [(folder, splits[folder.name]) for folder in folders if folder.name in splits]
    return sorted(found, key=lambda each: each[1] != TRAINING)


def _pictures(tree: Tree, top: PurePosixPath, fewest: int) -> list[Found]:
    """Return the pictures of the class folders in `top`."""
    classes = _class_folders(tree, top, fewest)
    if persons := find_persons(tree, classes):
        return [Found(file, folder, None, person) for file, folder, person in persons]
    return [Found(file, folder.name, None) for folder in classes for file in tree.require_pictures(folder)]


def _class_folders(tree: Tree, top: PurePosixPath, fewest: int) -> list[PurePosixPath]:
    classes = tree.folders_in(top)
    where = tree.root / top
    if not classes:
        names = [printable(path.name, 60) for path in tree.files if path.parent == top][:5]
        raise DataError(
            f"{where}: expected one folder for each class ({', '.join(EXPRESSIONS)}) or the folders train/<class> and "
            f"test/<class>, found {', '.join(names) or 'an empty folder'}"
        )
    if {folder.name.lower() for folder in classes} >= _DETECTION:
        raise DataError(
            f"{where}: expected one folder for each class, found 'images' and 'labels', the layout of a detector "
            "(YOLO), whose boxes are in text files; export it for classification, with a folder for each class"
        )
    if len(classes) < fewest:
        raise DataError(
            f"{where}: expected folders for two or more classes, found only '{printable(classes[0].name, 60)}'"
        )
    return classes


def _divided(tree: Tree, top: PurePosixPath) -> Listing:
    found = _pictures(tree, top, fewest=2)
    labels = ordered(each.folder for each in found)
    pictures = _as_pictures(found, labels)
    if any(each.person for each in found):
        pictures, note = divided_by_person(pictures)
    else:
        note = (
            "it has no splits of its own: each class is divided 80/10/10 by digests of the pictures; equal pictures "
            "stay together, but similar ones of one person or film may not"
        )
        for name, count in Counter(each.folder for each in found).items():
            if count < FEWEST:
                raise DataError(
                    f"{tree.root / top / name}: expected at least {FEWEST} pictures to divide into training and "
                    f"tests, found {count}"
                )
    return Listing(labels, pictures, (note, *_notes(tree, found, labels)))


def _as_pictures(found: Sequence[Found], labels: tuple[str, ...]) -> list[Picture]:
    persons = {name: number for number, name in enumerate(sorted({label_text(each.person) for each in found} - {""}))}
    return [
        Picture(
            each.file,
            labels.index(canonical(each.folder)),
            each.split,
            subject=persons.get(label_text(each.person), -1),
        )
        for each in found
    ]


def _notes(tree: Tree, found: Sequence[Found], labels: tuple[str, ...]) -> tuple[str, ...]:
    used = {each.file for each in found}
    below = {folder for file in used for folder in file.parents if folder.name}
    return (*_misplaced(tree, used), *_unread(tree, below), *_names({each.folder for each in found}, labels))


def _misplaced(tree: Tree, used: set[PurePosixPath]) -> tuple[str, ...]:
    """Say how many pictures lie beside the class folders, or in folders below them."""
    others = [file for file in tree.files if is_image_name(file) and file not in used]
    if not others:
        return ()
    return (
        f"left out: {len(others)} pictures that lie in no class folder itself, such as {printable(str(others[0]))}; "
        "move them into the folder of their class to use them",
    )


def _unread(tree: Tree, folders: set[PurePosixPath]) -> tuple[str, ...]:
    """Count the files among the pictures that are not read as such, by the endings of their names."""
    others = [file for file in tree.files if file.parent in folders and not is_image_name(file)]
    if not others:
        return ()
    endings = Counter(printable(file.suffix.lower(), 12) or "without ending" for file in others)
    shown = [f"{count} {ending}" for ending, count in endings.most_common(_SHOWN_ENDINGS)]
    rest = len(endings) - len(shown)
    advice = "; save HEIC as JPEG, such as with heif-convert" if {".heic", ".heif"} & set(endings) else ""
    return (
        f"left out: {len(others)} files whose names are not those of images "
        f"({', '.join(shown)}{f' and {rest} other endings' if rest else ''}), such as "
        f"{printable(str(others[0]))}{advice}",
    )


def _names(folders: set[str], labels: tuple[str, ...]) -> tuple[str, ...]:
    """Say which class a folder of another name is, and which classes are none of the known ones."""
    written = {label_text(name) for name in folders}
    renamed = sorted(f"{name} is {canonical(name)}" for name in written if name.lower() != canonical(name))
    own = [label for label in labels if label not in EIGHT]
    notes = [f"folders by class: {', '.join(renamed)}"] if renamed else []
    notes += [f"classes of its own: {', '.join(own)}"] if own else []
    return tuple(notes)
