"""One folder for each class, with or without ``train`` and ``test`` above them; any classes, any pictures.

- ``train/<class>/...`` and ``test/<class>/...``: FER2013's folder export (a file name that begins with
  ``Training_``, ``PublicTest_`` or ``PrivateTest_`` says its split), and AffectNet and others as they are passed
  around. With a ``val`` folder beside ``test``, ``val`` is PublicTest and ``test`` PrivateTest.
- ``<class>/...`` alone: divided 80/10/10 in each class by digests of the pictures.

Class folders with the names of expressions, or synonyms of them, become these; other names are labels of their own.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS, canonical
from fer_edge.train.data.classes import EIGHT, ordered
from fer_edge.train.data.dataset import PRIVATE_TEST, PUBLIC_TEST, SPLITS, TRAINING
from fer_edge.train.data.pictures import Listing, Picture
from fer_edge.train.data.tree import SUFFIXES, Tree

HALVES = {"train": TRAINING, "training": TRAINING, "test": PUBLIC_TEST, "testing": PUBLIC_TEST}
VALIDATION = ("val", "valid", "validation")
FEWEST = 3
"""Pictures a class needs to be in all three splits."""


def list_pictures(tree: Tree) -> Listing:
    """Find the classes and pictures of a tree.

    Raises:
        DataError: no class folders, one class, one without pictures or with too few to divide, a test class
            that Training lacks.
    """
    top = _top(tree)
    halves = _halves(tree.folders_in(top))
    if not halves:
        return _divided(tree, top)
    by_split: dict[str, set[str]] = {}
    found: list[tuple[PurePosixPath, str, str]] = []
    for half, split in halves.items():
        for folder in _class_folders(tree, half, fewest=2 if split == TRAINING else 1):
            name = canonical(folder.name)
            by_split.setdefault(split, set()).add(name)
            for file in tree.pictures_in(folder):
                prefix = file.name.split("_", 1)[0]
                found.append((file, prefix if prefix in SPLITS else split, name))
    names = set().union(*by_split.values())
    labels = ordered(names)
    if TRAINING in by_split and labels != EXPRESSIONS:
        unseen = sorted(names - by_split[TRAINING])
        if unseen:
            raise DataError(
                f"{tree.root / top}: expected every test class in training as well "
                f"({', '.join(sorted(by_split[TRAINING]))}), found '{unseen[0]}' in test alone"
            )
    pictures = [Picture(file, labels.index(name), split) for file, split, name in found]
    notes = (*_left_out(tree, pictures), *_names({file.parent.name for file, _, _ in found}, labels))
    return Listing(labels, pictures, notes)


def _top(tree: Tree) -> PurePosixPath:
    """Return the folder that holds the classes or halves: the root, or what it holds alone."""
    top = PurePosixPath()
    while True:
        inside = tree.folders_in(top)
        if len(inside) != 1 or _halves(inside) or not tree.folders_in(inside[0]):
            return top
        top = inside[0]


def _halves(folders: list[PurePosixPath]) -> dict[PurePosixPath, str]:
    names = {folder.name.lower(): folder for folder in folders}
    halves = {names[name]: split for name, split in HALVES.items() if name in names}
    validation = [names[name] for name in VALIDATION if name in names]
    if validation and halves:
        halves = {folder: PRIVATE_TEST if split == PUBLIC_TEST else split for folder, split in halves.items()}
        halves[validation[0]] = PUBLIC_TEST
    return halves


def _class_folders(tree: Tree, folder: PurePosixPath, fewest: int) -> list[PurePosixPath]:
    classes = tree.folders_in(folder)
    where = tree.root / folder
    if not classes:
        raise DataError(f"{where}: expected one folder for each class ({', '.join(EXPRESSIONS)}), found none")
    if len(classes) < fewest:
        raise DataError(f"{where}: expected folders for two or more classes, found only '{classes[0].name}'")
    return classes


def _divided(tree: Tree, top: PurePosixPath) -> Listing:
    where = tree.root / top
    if not tree.folders_in(top):
        names = [path.name for path in tree.files][:5]
        raise DataError(
            f"{where}: expected the folders train/<class> and test/<class>, or one folder for each class, "
            f"found {', '.join(names) or 'an empty folder'}"
        )
    folders = _class_folders(tree, top, fewest=2)
    labels = ordered(folder.name for folder in folders)
    pictures = []
    for folder in folders:
        files = tree.pictures_in(folder)
        if len(files) < FEWEST:
            raise DataError(
                f"{tree.root / folder}: expected at least {FEWEST} pictures ({', '.join(SUFFIXES)}) to divide into "
                f"training and tests, found {len(files)}"
            )
        pictures += [Picture(file, labels.index(canonical(folder.name)), None) for file in files]
    note = (
        "it has no splits of its own: each class is divided 80/10/10 by digests of the pictures; equal pictures stay "
        "together, but similar ones of one person or film may not"
    )
    notes = (note, *_left_out(tree, pictures), *_names({folder.name for folder in folders}, labels))
    return Listing(labels, pictures, notes)


def _left_out(tree: Tree, pictures: list[Picture]) -> tuple[str, ...]:
    """Say how many pictures lie beside the class folders, or in folders below them."""
    used = {picture.file for picture in pictures}
    others = [file for file in tree.files if file.suffix.lower() in SUFFIXES and file not in used]
    if not others:
        return ()
    return (
        f"left out: {len(others)} pictures that lie in no class folder itself, such as {others[0]}; "
        "move them into the folder of their class to use them",
    )


def _names(folders: set[str], labels: tuple[str, ...]) -> tuple[str, ...]:
    """Say which class a folder of another name is, and which classes are none of the known ones."""
    renamed = sorted(f"{name} is {canonical(name)}" for name in folders if name.lower() != canonical(name))
    own = [label for label in labels if label not in EIGHT]
    notes = [f"folders by class: {', '.join(renamed)}"] if renamed else []
    notes += [f"classes of its own: {', '.join(own)}"] if own else []
    return tuple(notes)
