"""The faces that an explanation looks at."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.images import decode_image, reason
from fer_edge.lazy import require
from fer_edge.preprocess import Box, face_crop, image_crop, planes_of

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
    """

    name: str
    source: str
    pixels: NDArray[np.uint8]


def read_pictures(files: Sequence[Path], size: int, channels: int = 1) -> list[Picture]:
    """Read pictures of one face each, of any size and colour; without files, the package's portrait.

    Raises:
        DataError: a file that cannot be decoded, or whose pixels are not of eight bits.
        OSError: a file that cannot be read.
    """
    if not files:
        return [_portrait(size, channels)]
    pictures: list[Picture] = []
    for file in files:
        names = {picture.name for picture in pictures}
        name, number = file.stem, 1
        while name in names:
            number += 1
            name = f"{file.stem}-{number}"
        pixels = image_crop(_decode(file.read_bytes(), str(file)), size, channels)
        pictures.append(Picture(name, str(file), pixels))
    return pictures


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
