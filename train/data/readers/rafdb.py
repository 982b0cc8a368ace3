"""RAF-DB's basic expressions: aligned faces of 100 x 100, and a list of their labels (Li et al. 2017, CVPR, RAF-DB).

Two layouts go around. The authors' has ``EmoLabel/list_patition_label.txt`` with lines such as ``train_00001.jpg 5``
and the pictures as ``Image/aligned/train_00001_aligned.jpg``. The other has ``train/5/train_00001_aligned.jpg`` and the
same under ``test``, folders by number. Its terms allow research alone.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS
from fer_edge.preprocess import Box
from fer_edge.train.data.dataset import PUBLIC_TEST, TRAINING
from fer_edge.train.data.files.tree import Tree
from fer_edge.train.data.pictures import Listing, Picture

NUMBERS = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
"""RAF-DB's classes 1 to 7."""

LABEL_FILES = ("list_patition_label.txt", "list_partition_label.txt")
"""The first is how the authors spell it."""

SPLITS = {"train": TRAINING, "test": PUBLIC_TEST}
NAME = re.compile(r"(train|test)_\d+(_aligned)?\.(jpg|png)")

FACE = Box(7, 7, 86, 86)
"""Of the 100 x 100 pixels of an aligned picture, which shows more around a face than a detector's box."""


def find_rafdb(tree: Tree) -> PurePosixPath | None:
    """Return what says that a tree is RAF-DB: its label file, or a picture in a folder with a class's number."""
    for file in tree.files:
        if file.name in LABEL_FILES or (NAME.fullmatch(file.name) and _number_of_folder(file)):
            return file
    return None


def list_rafdb(tree: Tree, found: PurePosixPath) -> Listing:
    """List the faces of RAF-DB; its test split is PublicTest.

    Args:
        tree: of either layout.
        found: of `find_rafdb`.

    Raises:
        DataError: a line of another form, or a face that is not there; no line at all.
    """
    labelled = _from_list(tree, found) if found.name in LABEL_FILES else _from_folders(tree)
    pictures = [
        Picture(file, EXPRESSIONS.index(NUMBERS[number - 1]), SPLITS[file.name.split("_", 1)[0]], box=FACE)
        for file, number in labelled
    ]
    note = f"RAF-DB's aligned faces: the middle {FACE.w} of 100 pixels are taken; its terms allow research alone"
    return Listing(EXPRESSIONS, pictures, (note,))


def _number_of_folder(file: PurePosixPath) -> int:
    """Return the class that the folder of a picture stands for, 0 for none."""
    folder, above = file.parent.name, file.parent.parent.name.lower()
    return int(folder) if above in SPLITS and re.fullmatch("[1-7]", folder) else 0


def _from_folders(tree: Tree) -> list[tuple[PurePosixPath, int]]:
    numbered = ((file, _number_of_folder(file)) for file in tree.files if NAME.fullmatch(file.name))
    return [(file, number) for file, number in numbered if number]


def _from_list(tree: Tree, label_file: PurePosixPath) -> list[tuple[PurePosixPath, int]]:
    where = tree.root / label_file
    aligned = {file.name: file for file in tree.files if file.stem.endswith("_aligned")}
    faces = []
    for line_number, line in enumerate(tree.read(label_file).decode("utf-8", "replace").splitlines(), 1):
        if not line.strip():
            continue
        name, _, number = line.strip().rpartition(" ")
        if not NAME.fullmatch(name) or not re.fullmatch("[1-7]", number):
            raise DataError(
                f"{where}: line {line_number}: expected 'train_00001.jpg 5' with a class of 1 to 7, "
                f"found '{line.strip()[:60]}'"
            )
        picture = PurePosixPath(name).with_stem(f"{PurePosixPath(name).stem.removesuffix('_aligned')}_aligned").name
        if picture not in aligned:
            raise DataError(
                f"{where}: line {line_number}: expected the aligned face '{picture}' in {tree.root}, found none; "
                "unpack Image/aligned.zip there"
            )
        faces.append((aligned[picture], int(number)))
    if not faces:
        raise DataError(f"{where}: expected lines such as 'train_00001.jpg 5', found none")
    return faces
