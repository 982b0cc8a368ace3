"""Photos in place of faces: told apart from crops, and the faces found in them as a device finds them.

The detector is the package's pair of networks, ``--detector face`` on a device, framed as the expression models know
it. What it found is kept in the cache, by the photos' own key and the networks' digests.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.faces.networks import PROPOSER, REFINER, open_finder
from fer_edge.faces.photo import find_in_photo
from fer_edge.model_file import file_hash
from fer_edge.preprocess import Box, to_grey
from fer_edge.shipped import FOLDER
from fer_edge.text import printable
from fer_edge.train.data import cache
from fer_edge.train.data.dataset import PhotoFaces
from fer_edge.train.data.files.tree import Tree
from fer_edge.train.data.pictures import Listing, decode
from fer_edge.train.data.spec import AS_IS, AUTO, UPRIGHT
from fer_edge.train.progress import progress_bar

SAMPLE = 48
"""Pictures that decide whether a data set holds photos."""

SHARE_OF_CROP = 0.7
"""Side of the largest face as a share of the picture's shorter side, below which a picture is a photo. In crops as data
sets have them it is 0.84 to 1."""

SMALLEST_PHOTO = 96
"""Pixels of the shorter side below which a picture is never taken for a photo."""

ROW = 17
"""Numbers that are kept of a picture; see `_search`."""

FEWEST_FOUND = 0.2
"""Share of the sample that must show a face for the data set to be photos."""


@dataclasses.dataclass(frozen=True)
class Found:
    """What a photo shows.

    Attributes:
        width: pixels.
        height: pixels.
        faces: how many.
        box: the largest face, in pixels; None where there is none.
        landmarks: of that face, five points in pixels.
    """

    width: int
    height: int
    faces: int
    box: Box | None
    landmarks: tuple[tuple[float, float], ...] | None = None

    @property
    def is_photo(self) -> bool:
        """Whether it looks like a photo, not like a crop: several faces, or one that is small in it."""
        if self.box is None or min(self.width, self.height) < SMALLEST_PHOTO:
            return False
        return self.faces > 1 or self.box.w < SHARE_OF_CROP * min(self.width, self.height)


def find_faces(tree: Tree, files: Sequence[PurePosixPath], smallest: int = 0) -> list[Found]:
    """Find the faces of pictures, or remember what was found in them.

    Args:
        tree: where they lie.
        files: below its root.
        smallest: pixels of the shorter side below which a picture is not searched.

    Raises:
        DataError: a file that is not a readable picture.
    """
    networks = "".join(file_hash(FOLDER / f"{name}.tflite")[:8] for name in (PROPOSER, REFINER))
    key = f"{tree.key()}-{cache.names_key(files)}-{networks}-{smallest}-{ROW}"
    rows = cache.load_array(key)
    if rows is None or len(rows) != len(files):
        with progress_bar("finding faces", len(files)) as advance:
            rows = _search(tree, files, smallest, advance)
        cache.store_array(key, rows)
    return [_found(row) for row in rows.tolist()]


def _found(row: Sequence[float]) -> Found:
    """Return what a row of `_search` says."""
    width, height, faces, *box = map(int, row[:7])
    if not faces:
        return Found(width, height, 0, None)
    return Found(width, height, faces, Box(*box), tuple(zip(row[7::2], row[8::2], strict=True)))


def _search(
    tree: Tree, files: Sequence[PurePosixPath], smallest: int, advance: Callable[[int], None]
) -> NDArray[np.float64]:
    """Return a row a picture: its width and height, how many faces, the box of the largest and its landmarks."""
    finder = open_finder()
    rows = np.zeros((len(files), ROW))
    for row, file in zip(rows, files, strict=True):
        luma = to_grey(decode(tree, file))
        faces = find_in_photo(finder, luma) if min(luma.shape) >= smallest else []
        row[:3] = luma.shape[1], luma.shape[0], len(faces)
        if faces:
            row[3:7] = faces[0].box
            row[7:] = faces[0].landmarks.ravel()
        advance(1)
    return rows


def cut_faces(tree: Tree, listing: Listing, faces: str) -> tuple[Listing, PhotoFaces | None]:
    """Return a listing whose pictures are faces: those of photos get the box of the largest, or are left out.

    Args:
        tree: where the pictures lie.
        listing: of it. Pictures that have a box already are left as they are.
        faces: one of `fer_edge.train.data.spec.FACES`.

    Returns:
        The listing, and what was found in the photos; None where the pictures are taken as they are.

    Raises:
        DataError: a picture that cannot be read, or no photo shows a face.
    """
    files = [picture.file for picture in listing.pictures]
    if faces == AS_IS:
        return listing, None
    if any(picture.box for picture in listing.pictures):
        note = f"--faces {faces} changes nothing: the data set says itself where its faces are"
        return (listing if faces == AUTO else dataclasses.replace(listing, notes=(*listing.notes, note))), None
    if faces == AUTO and not hold_photos(tree, files):
        return listing, None
    found = find_faces(tree, files)
    if not any(each.faces for each in found):
        raise DataError(f"{tree.root}: expected photos with faces, found none in {len(files)}; see --faces as-is")
    named = [printable(str(file)) for file in files]
    report = PhotoFaces(
        len(files),
        tuple(name for name, each in zip(named, found, strict=True) if not each.faces),
        tuple(name for name, each in zip(named, found, strict=True) if each.faces > 1),
        upright=faces == UPRIGHT,
    )
    pictures = [
        dataclasses.replace(picture, box=each.box, landmarks=each.landmarks)
        for picture, each in zip(listing.pictures, found, strict=True)
        if each.box
    ]
    notes = [*listing.notes, *report.notes()]
    for number, label in enumerate(listing.labels):
        if any(p.label == number for p in listing.pictures) and not any(p.label == number for p in pictures):
            notes.append(f"no photo of the class '{label}' shows a face; it has no image")
    return Listing(listing.labels, pictures, tuple(notes)), report


def hold_photos(tree: Tree, files: Sequence[PurePosixPath]) -> bool:
    """Say whether pictures are photos, by a sample of them: in most that show a face, it is small or not alone."""
    step = max(len(files) / SAMPLE, 1)
    sample = [files[int(i * step)] for i in range(min(len(files), SAMPLE))]
    found = find_faces(tree, sample, SMALLEST_PHOTO)
    showing = [each for each in found if each.faces]
    if len(showing) < FEWEST_FOUND * len(found):
        return False
    return sum(each.is_photo for each in showing) > len(showing) / 2
