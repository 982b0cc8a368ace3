"""The faces that an explanation looks at."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.faces.finder import FaceFinder
from fer_edge.faces.networks import open_finder
from fer_edge.faces.photo import PhotoFace, find_in_photo
from fer_edge.images import decode_image, reason
from fer_edge.lazy import require
from fer_edge.preprocess import Box, face_crop, image_crop, planes_of, to_grey
from fer_edge.train.data.photos.found import Found
from fer_edge.train.data.spec import AS_IS, AUTO, CROP, UPRIGHT

PORTRAIT_FACE = Box(79, 65, 98, 98)
"""Where the device's cascade finds the face in the package's portrait, in pixels."""

CREDIT = (
    "Eileen Collins, from NASA's official portrait of 1999, in the public domain; NASA does not endorse this software."
)


@dataclasses.dataclass(frozen=True)
class Picture:
    """One face as a model sees it.

    Attributes:
        name: starts the names of its files; no two pictures of a report have the same.
        source: the file, or where the package's own portrait comes from.
        pixels: uint8, size x size, grey; size x size x 3 of a colour model.
        note: what was done to the file, for a reader; empty if it is a face.
    """

    name: str
    source: str
    pixels: NDArray[np.uint8]
    note: str = ""


def read_pictures(
    files: Sequence[Path], size: int, channels: int = 1, faces: str = AUTO, framing: str = "box"
) -> list[Picture]:
    """Read faces, from pictures of any size and colour; without files, the package's portrait.

    Args:
        files: pictures.
        size: side of the model's input.
        channels: of the model's input, 1 or 3.
        faces: one of `fer_edge.train.data.spec.FACES`: cut the largest face out of each picture, take pictures as they
            are, or do that with those where a face is small or not alone.
        framing: how a face is cut out, one of `fer_edge.model_file.FRAMINGS`.

    Raises:
        DataError: a file that cannot be decoded, or whose pixels are not of eight bits; or no face in one that is to be
            cut.
        OSError: a file that cannot be read.
    """
    if not files:
        return [_portrait(size, channels)]
    pictures: list[Picture] = []
    finder = None if faces == AS_IS else open_finder()
    for file in files:
        names = {picture.name for picture in pictures}
        name, number = file.stem, 1
        while name in names:
            number += 1
            name = f"{file.stem}-{number}"
        image = _decode(file.read_bytes(), str(file))
        pixels, note = image_crop(image, size, channels), ""
        if finder and (found := _face_in(finder, image, str(file), faces)):
            face, note = found
            upright = framing == "eyes" or faces == UPRIGHT
            points = tuple((float(x), float(y)) for x, y in face.landmarks) if upright else None
            pixels = face_crop(planes_of(image), face.box, size, channels, points)
        pictures.append(Picture(name, str(file), pixels, note))
    return pictures


def _face_in(finder: FaceFinder, image: NDArray[np.uint8], name: str, faces: str) -> tuple[PhotoFace, str] | None:
    """Return the face to cut out of a picture, and what to say of it; None where the picture is the face."""
    luma = to_grey(image)
    found = find_in_photo(finder, luma)
    box = found[0].box if found else None
    if box is None and faces in (CROP, UPRIGHT):
        raise DataError(f"{name}: expected a photo with a face, found none; see --faces as-is")
    if box is None or not (faces in (CROP, UPRIGHT) or Found(luma.shape[1], luma.shape[0], len(found), box).is_photo):
        return None
    several = f"the largest of {len(found)} faces" if len(found) > 1 else "the face"
    return found[0], f"{several} at {box.x},{box.y}, {box.w}x{box.h}; --faces as-is takes it whole"


def _portrait(size: int, channels: int) -> Picture:
    # By path: the training side must not import the device's package, whose data this is.
    file = resources.files("fer_edge") / "device" / "portrait.jpg"
    planes = planes_of(_decode(file.read_bytes(), "portrait.jpg"))
    return Picture("portrait", CREDIT, face_crop(planes, PORTRAIT_FACE, size, channels))


def _decode(data: bytes, name: str) -> NDArray[np.uint8]:
    cv2 = require("cv2", "train")
    try:
        image = decode_image(data)
    except cv2.error as error:  # a header that announces more pixels than OpenCV accepts
        raise DataError(f"{name}: a picture that OpenCV refuses ({error.err}); save it again smaller") from error
    if image is None:
        raise DataError(f"{name}: expected a picture of a face (PNG, JPEG, ...), found {reason(data)}")
    return image
