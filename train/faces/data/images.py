"""Images held in memory at several sizes, so that a training frame costs no decoding and little scaling."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.train.faces.data.annotations import LabelledImage

PYRAMID_LEVELS = 5


@dataclasses.dataclass(frozen=True)
class FaceSet:
    """The faces of one picture as squares.

    Attributes:
        squares: N x 3 float32: centre right and down, side, in pixels.
        landmarks: N x 5 x 2 float32 in pixels; NaN where a face has none.
        certain: N bool; the surroundings of the others are left out of training.
    """

    squares: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    certain: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.squares)


@dataclasses.dataclass(frozen=True)
class TrainingImage:
    """One image: luma at full size, half, a quarter and so on (uint8 H x W each), and its faces at full size."""

    levels: tuple[NDArray[np.uint8], ...]
    faces: FaceSet

    @property
    def luma(self) -> NDArray[np.uint8]:
        """The image at full size."""
        return self.levels[0]


def load_images(labelled: Iterable[LabelledImage]) -> list[TrainingImage]:
    """Read the luma of images and halve it again and again.

    Raises:
        DataError: a file is missing or holds no image.
    """
    images = []
    for item in labelled:
        luma = cv2.imread(str(item.path), cv2.IMREAD_GRAYSCALE)
        if luma is None:
            raise DataError(f"{item.path}: expected an image that OpenCV reads, found none; check the file")
        images.append(TrainingImage(halved(np.asarray(luma, np.uint8)), as_squares(item)))
    return images


def halved(luma: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], ...]:
    """Return an image at its own size, half, a quarter and so on while a side has 16 pixels."""
    levels = [luma]
    while len(levels) < PYRAMID_LEVELS and min(levels[-1].shape) >= 16:
        height, width = levels[-1].shape
        # An odd row or column is dropped: a level is exactly half of the one before, so positions only need halving.
        even = levels[-1][: height // 2 * 2, : width // 2 * 2]
        levels.append(np.asarray(cv2.resize(even, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8))
    return tuple(levels)


def as_squares(item: LabelledImage) -> FaceSet:
    """Return the boxes of an image as squares of the same centre and area."""
    centres = item.boxes[:, :2] + item.boxes[:, 2:] / 2
    sides = np.sqrt(item.boxes[:, 2] * item.boxes[:, 3])
    return FaceSet(np.column_stack([centres, sides]).astype(np.float32), item.landmarks, item.certain)


def warp(
    image: TrainingImage, matrix: NDArray[np.float64], onto: NDArray[np.uint8], border: int, coarser: int = 0
) -> None:
    """Draw an image under a 2 x 3 affine map of its pixels, read from the level that suits the map's scale.

    Args:
        image: the image.
        matrix: from pixels of the image to pixels of the result.
        onto: H x W, what is drawn on, in place.
        border: an OpenCV border mode for what lies outside the image; ``BORDER_TRANSPARENT`` draws nothing there.
        coarser: levels to go further down, which blurs.
    """
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    level = max(int(np.floor(-np.log2(max(scale, 1e-6)) + 0.4)), 0) + coarser
    level = min(level, len(image.levels) - 1)
    if level:
        # Pixel centres: pixel i of a level covers pixels i * 2**level ... of the image.
        matrix = matrix.copy()
        matrix[:, 2] += matrix[:, :2].sum(1) * (2**level - 1) / 2
        matrix[:, :2] *= 2**level
    size = (onto.shape[1], onto.shape[0])
    source = image.levels[level]
    if border != cv2.BORDER_TRANSPARENT:
        cv2.warpAffine(source, matrix, size, dst=onto, flags=cv2.INTER_LINEAR, borderMode=border)
        return
    # OpenCV's own transparent border takes ten times as long as a mask of the image's outline.
    height, width = source.shape
    corners = (
        np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]) @ matrix[:, :2].T + matrix[:, 2]
    )
    mask = np.zeros(onto.shape, np.uint8)
    cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), 255)
    drawn = cv2.warpAffine(source, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cv2.copyTo(drawn, mask, onto)
