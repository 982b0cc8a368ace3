"""From a list of picture files to splits of uint8 images."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.images import decode_image, reason
from fer_edge.lazy import require
from fer_edge.preprocess import Box, face_crop, image_crop, planes_of
from fer_edge.train.data.dataset import SPLITS, Split
from fer_edge.train.data.divide import divide_by_class
from fer_edge.train.data.files.tree import Tree
from fer_edge.train.data.form import FER_FORM, Form


@dataclasses.dataclass(frozen=True)
class Picture:
    """One face to read.

    Attributes:
        file: path below the tree's root.
        label: class index.
        split: name of its split; None where pictures are divided by their pixels after reading.
        subject: the person's number, -1 if unknown.
        box: the face in pixels; None where the picture is one.
        landmarks: five points of the face in pixels; None where the box is all that is known.
    """

    file: PurePosixPath
    label: int
    split: str | None
    subject: int = -1
    box: Box | None = None
    landmarks: tuple[tuple[float, float], ...] | None = None


@dataclasses.dataclass(frozen=True)
class Listing:
    """What a reader found in a tree, before any picture is opened.

    Attributes:
        labels: class names.
        pictures: in the order that `Split.rows` counts.
        notes: sentences for the data set's notes.
    """

    labels: tuple[str, ...]
    pictures: Sequence[Picture]
    notes: tuple[str, ...] = ()


def read_pictures(
    tree: Tree,
    pictures: Sequence[Picture],
    advance: Callable[[int], None] = lambda count: None,
    form: Form = FER_FORM,
) -> dict[str, Split]:
    """Read pictures of any size and colour as images of one form.

    Pictures without a split are divided by what FER2013's form shows of them, framed by their boxes, so that a picture
    is in the same split in every form: a model of one is never tested on what a model of another was trained on.

    Args:
        tree: where they lie.
        pictures: at least one.
        advance: called with 1 after each.
        form: of the images.

    Raises:
        DataError: a file that is not a readable picture, or a box whose middle is outside of it.
    """
    images = np.empty((len(pictures), *form.shape), np.uint8)
    divided = any(picture.split is None for picture in pictures)
    known = images if form == FER_FORM or not divided else np.empty((len(pictures), *FER_FORM.shape), np.uint8)
    for row, picture in enumerate(pictures):
        image = decode(tree, picture.file)
        images[row] = _crop(tree, picture, image, form)
        if known is not images:
            known[row] = _crop(tree, picture, image, FER_FORM)
        advance(1)
    labels = np.array([picture.label for picture in pictures], np.int64)
    rows = np.arange(len(pictures), dtype=np.int64)
    subjects = np.array([picture.subject for picture in pictures], np.int64)
    everything = Split(images, labels, rows, subjects=subjects if (subjects >= 0).any() else None)
    if divided:
        names = divide_by_class(Split(known, labels, rows).hashes(), labels)
    else:
        names = np.array([picture.split for picture in pictures])
    return {name: everything.take(names == name) for name in SPLITS if (names == name).any()}


def decode(tree: Tree, file: PurePosixPath) -> NDArray[np.uint8]:
    """Return a picture of a tree, uint8, grey or BGR.

    Raises:
        DataError: a file that is not a readable picture.
    """
    cv2 = require("cv2", "train")
    where = tree.root / file
    # Through memory, because imread prints its own warning and cannot open names outside the locale's encoding.
    data = tree.read(file)
    try:
        image = decode_image(data, keep_grey=True)
    except cv2.error as error:  # a header that announces more pixels than OpenCV accepts
        raise DataError(
            f"{where}: expected a picture, found one that OpenCV refuses ({error.err}); save it again smaller or "
            "remove the file"
        ) from error
    if image is None:
        raise DataError(f"{where}: expected a picture, found {reason(data)}; or remove the file")
    return image


def _crop(tree: Tree, picture: Picture, image: NDArray[np.uint8], form: Form) -> NDArray[np.uint8]:
    if picture.box is None:
        return image_crop(image, form.size, form.channels)
    box, where = picture.box, tree.root / picture.file
    height, width = image.shape[:2]
    # A box may stick out a little, as a face does; the crop is moved inside.
    if not (0 <= box.x + box.w // 2 < width and 0 <= box.y + box.h // 2 < height):
        raise DataError(
            f"{where}: expected a face inside its {width}x{height} pixels, found the box "
            f"{box.x},{box.y} {box.w}x{box.h} in the label file; the two do not belong together"
        )
    landmarks = picture.landmarks if form.framing == "eyes" else None
    return face_crop(planes_of(image), box, form.size, form.channels, landmarks)
