"""The faces of photos as files, to look at and to train on."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError, OutputError
from fer_edge.files import write_result
from fer_edge.images import SUFFIXES, is_image_name
from fer_edge.lazy import require
from fer_edge.preprocess import square_around
from fer_edge.train.data.files.tree import Tree, open_tree
from fer_edge.train.data.photos.found import Found, find_faces
from fer_edge.train.data.pictures import decode
from fer_edge.train.progress import progress_bar

LIST = "faces.csv"
COLUMNS = ("file", "faces", "x", "y", "w", "h", "crop")
"""Of the list: the photo, how many faces it shows, the box of the largest in its pixels, and the crop's file."""


@dataclasses.dataclass(frozen=True)
class Cropped:
    """What became of the photos of a folder.

    Attributes:
        out: folder of the crops and of `LIST`.
        crops: how many were written.
        without: files of the photos without a face.
        several: files of the photos with several faces, of which the largest was cut out.
    """

    out: Path
    crops: int
    without: tuple[str, ...]
    several: tuple[str, ...]


def crop_photos(root: Path, out: Path) -> Cropped:
    """Cut the largest face out of each photo, as ``--faces crop`` does, and write it as PNG below a folder.

    The crops keep the folders of the photos, the pixels and the colours, so that a training on them sees what a
    training on the photos sees.

    Args:
        root: a folder or zip of photos, in folders of any depth.
        out: a new or empty folder.

    Raises:
        DataError: there is no photo, or one that cannot be read.
        OutputError: `out` holds something, lies among the photos, or cannot be written.
    """
    _check_free(root, out)
    with open_tree(root) as tree:
        files = [file for file in tree.files if is_image_name(file)]
        if not files:
            raise DataError(f"{root}: expected photos ({' '.join(SUFFIXES)}), found none")
        found = find_faces(tree, files)
        out.mkdir(parents=True, exist_ok=True)
        crops = _write(tree, files, found, out)
    _write_list(files, found, crops, out / LIST)
    return Cropped(
        out,
        sum(bool(crop) for crop in crops),
        tuple(str(file) for file, each in zip(files, found, strict=True) if not each.faces),
        tuple(str(file) for file, each in zip(files, found, strict=True) if each.faces > 1),
    )


def _check_free(root: Path, out: Path) -> None:
    if out.resolve().is_relative_to(root.resolve()):
        raise OutputError(f"{out}: expected a folder beside the photos, found one among them; choose another --out")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"{out}: expected a new or empty folder for the crops; choose another --out")


def _write(tree: Tree, files: list[PurePosixPath], found: list[Found], out: Path) -> list[str]:
    """Write the crops and return their files below `out`; an empty name for a photo without a face."""
    crops: list[str] = []
    taken: set[PurePosixPath] = set()
    with progress_bar("cutting faces out", len(files)) as advance:
        for file, each in zip(files, found, strict=True):
            crop = PurePosixPath()
            if each.box:
                crop = _free_name(file, taken)
                x, y, side, _ = square_around(each.box, each.width, each.height)
                target = out / crop
                target.parent.mkdir(parents=True, exist_ok=True)
                write_result(target, _png(decode(tree, file)[y : y + side, x : x + side]))
            crops.append(str(crop) if each.box else "")
            advance(1)
    return crops


def _free_name(file: PurePosixPath, taken: set[PurePosixPath]) -> PurePosixPath:
    """Return the name of a crop that no other has, as those of face.jpg and face.png would."""
    name, number = file.with_suffix(".png"), 1
    while name in taken:
        number += 1
        name = file.with_name(f"{file.stem}-{number}.png")
    taken.add(name)
    return name


def _png(image: NDArray[np.uint8]) -> bytes:
    encoded, data = require("cv2", "train").imencode(".png", np.ascontiguousarray(image))
    assert encoded, "a uint8 image is always a PNG"
    return bytes(data)


def _write_list(files: list[PurePosixPath], found: list[Found], crops: list[str], path: Path) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for file, each, crop in zip(files, found, crops, strict=True):
        writer.writerow([file, each.faces, *(each.box or ("",) * 4), crop])
    write_result(path, stream.getvalue().encode("utf-8", "surrogateescape"))
