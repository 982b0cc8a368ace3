"""ExpW: photos with several faces, and ``label.lst`` with a box and an expression for each (Zhang et al. 2018).

A line is ``image_name face_id top left right bottom confidence expression``, separated by spaces, with FER2013's
numbers of the expressions ("From Facial Expression Recognition to Interpersonal Relation Prediction", IJCV 126).
"""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np

from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS
from fer_edge.preprocess import Box
from fer_edge.train.data.divide import divide
from fer_edge.train.data.files.tree import Tree
from fer_edge.train.data.pictures import Listing, Picture

LABEL_FILE = "label.lst"
FIELDS = 8


def find_label_file(tree: Tree) -> PurePosixPath | None:
    """Return the tree's ``label.lst``, if it has one."""
    return next((file for file in tree.files if file.name == LABEL_FILE), None)


def list_faces(tree: Tree, label_file: PurePosixPath) -> Listing:
    """Read ``label.lst``; its pictures may lie anywhere in the tree.

    Raises:
        DataError: a line of another form, a picture that is not there, no line at all.
    """
    where = tree.root / label_file
    files = {file.name: file for file in tree.files}
    faces = []
    for number, line in enumerate(tree.read(label_file).decode("utf-8", "replace").splitlines(), 1):
        if line.strip():
            name, box, label = _parse(line, f"{where}: line {number}")
            if name not in files:
                raise DataError(f"{where}: line {number}: expected the picture '{name}' in {tree.root}, found none")
            faces.append((files[name], box, label))
    if not faces:
        raise DataError(f"{where}: expected lines of image, face, box and expression, found none")
    splits = divide(np.array([file.name for file, _, _ in faces]))
    pictures = [
        Picture(file, label, str(split), box=box) for (file, box, label), split in zip(faces, splits, strict=True)
    ]
    note = "it has no splits of its own: photos are divided 80/10/10 by digests of their names, with all their faces"
    return Listing(EXPRESSIONS, pictures, (note,))


def _parse(line: str, where: str) -> tuple[str, Box, int]:
    # From the right, because a name may hold spaces.
    fields = line.strip().rsplit(" ", FIELDS - 1)
    try:
        top, left, right, bottom = (int(field) for field in fields[2:6])
        label = int(fields[7])
        if right <= left or bottom <= top or not 0 <= label < len(EXPRESSIONS):
            raise ValueError
    except (ValueError, IndexError):
        raise DataError(
            f"{where}: expected 'image face top left right bottom confidence expression' with an expression of "
            f"0 to {len(EXPRESSIONS) - 1}, found '{line.strip()[:60]}'"
        ) from None
    return fields[0], Box(left, top, right - left, bottom - top), label
