"""The one definition of a model's input: a square uint8 crop, grey or RGB.

Training, evaluation, conversion and the device all make their input here, so that a model sees the
same picture wherever it runs. Grey is full-range BT.601 luma (ITU-R BT.601: 0.299 R + 0.587 G +
0.114 B), which is also what the Y plane of a YUV420 camera frame holds. Scaling to [0, 1] belongs to
the model; the int8 file's input has scale 1/255 and zero point -128, so there it is a subtraction.
Contrast normalisation, where a model file asks for it, comes last and sees the finished crop alone. The classifiers do
it themselves (`TFLiteModel.scores`, `KerasModel.predict`), so that whoever has a model gives it plain crops.

A colour model sees the same crop of the three planes of a YUV420 picture, turned into RGB (`face_to_rgb`). Pictures of
data sets become such planes first (`planes_of`), so that they lose the same detail of colour as a camera's.

Where a model file asks for it (its ``framing`` is ``eyes``) and the detector gives landmarks, a face's crop is turned
upright and framed by eyes and mouth (`fer_edge.faces.upright`); else the detector's box frames it (`square_around`).

Models such as ``hog-cnn`` have a second input: histograms of oriented gradients (Dalal and Triggs 2005) of the crop, by
OpenCV. The device computes them here, and the layer that computes them in training is tested against this.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.faces.upright import Points, Square, turned_crop, upright_square
from fer_edge.lazy import require

Image = NDArray[np.uint8]

CLAHE_CLIP, CLAHE_TILES = 2.0, 4
"""OpenCV's clip limit (a multiple of a flat histogram's height) and the tiles along each side: 12 x 12 pixels in a
crop of 48, with 144 of them enough for a histogram, where OpenCV's own 8 x 8 tiles would leave 36."""


HOG_CELL, HOG_BLOCK, HOG_STRIDE, HOG_BINS = 8, 16, 8, 9
"""Side of a cell and of a block and step between blocks, in pixels; unsigned orientations of 20 degrees."""

HOG_DEFINITION = {"cell": HOG_CELL, "block": HOG_BLOCK, "stride": HOG_STRIDE, "bins": HOG_BINS}
"""What a model file says about the features it was trained on."""


SMALLEST_FRAMING, LARGEST_FRAMING = 0.5, 2.0
"""Side of an upright crop, in sides of the detector's box, outside of which landmarks are not believed."""


class Box(NamedTuple):
    """A rectangle in pixels: left, top, width, height."""

    x: int
    y: int
    w: int
    h: int


class Planes(Protocol):
    """A picture as full-range BT.601 planes: luma H x W, H and W even, and both colour differences H/2 x W/2; uint8.

    Cb = 128 + 0.564 (B - Y) and Cr = 128 + 0.713 (R - Y), as in JPEG (ITU-T T.871, section 7). Read only.
    """

    @property
    def y(self) -> Image:
        """Luma."""

    @property
    def cb(self) -> Image:
        """Blue difference."""

    @property
    def cr(self) -> Image:
        """Red difference."""


class PicturePlanes(NamedTuple):
    """The planes of a single picture."""

    y: Image
    cb: Image
    cr: Image


def to_grey(image: Image) -> Image:
    """Return the BT.601 luma of an image.

    Args:
        image: uint8, H x W (returned as it is), H x W x 1, H x W x 3 in BGR order, or H x W x 4 in
            BGRA order, whose alpha is ignored.

    Returns:
        uint8 H x W.

    Raises:
        DataError: for any other shape or dtype.
    """
    if image.dtype == np.uint8:
        if image.ndim == 2:
            return image
        if image.ndim == 3 and image.shape[2] == 1:
            return image[:, :, 0]
        if image.ndim == 3 and image.shape[2] in (3, 4):
            cv2 = require("cv2", "device")
            code = cv2.COLOR_BGR2GRAY if image.shape[2] == 3 else cv2.COLOR_BGRA2GRAY
            grey: Image = cv2.cvtColor(image, code)
            return grey
    raise DataError(
        f"expected a uint8 picture of one, three or four channels, found {image.dtype} of shape {image.shape}"
    )


def resize_square(grey: Image, size: int) -> Image:
    """Resize a square grey crop to `size` x `size`: by area when it shrinks, bilinear when it grows.

    A crop that already has the size is returned unchanged, so FER2013's own images pass through
    bit for bit.
    """
    if grey.shape == (size, size):
        return grey
    cv2 = require("cv2", "device")
    shrinks = grey.shape[0] >= size
    resized: Image = cv2.resize(grey, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return resized


def centre_square(grey: Image) -> Image:
    """Return the largest centred square of a grey picture, as a view."""
    height, width = grey.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return grey[top : top + side, left : left + side]


def image_to_input(image: Image, size: int) -> Image:
    """Turn a picture of one face, of any size and colour, into a model input of `size` x `size`.

    The rule for pictures in data sets: luma, largest centred square, then `resize_square`.
    """
    return resize_square(centre_square(to_grey(image)), size)


def square_around(box: Box, width: int, height: int) -> Box:
    """Return the square crop of a detected face: centred on the box, as wide as its longer side.

    The square is moved, and if need be shrunk, to lie inside a picture of `width` x `height`, so that
    a crop never holds invented pixels.
    """
    side = min(max(box.w, box.h, 1), width, height)
    x = min(max(box.x + (box.w - side) // 2, 0), width - side)
    y = min(max(box.y + (box.h - side) // 2, 0), height - side)
    return Box(x, y, side, side)


def face_to_input(luma: Image, box: Box, size: int, landmarks: Points | None = None) -> Image:
    """Cut a detected face out of a luma plane and make it a model input of `size` x `size`.

    Args:
        luma: uint8 H x W, full range; read only, may have a row stride.
        box: the face in pixels of `luma`.
        size: side of the model's input.
        landmarks: five points in pixels of `luma`, for a model whose ``framing`` is ``eyes``: the crop is then upright.
            None, or points that do not fit the box, have the box frame the face.
    """
    square = _square(box, landmarks)
    if square is not None:
        return turned_crop(luma, square, size)
    height, width = luma.shape
    x, y, side, _ = square_around(box, width, height)
    return resize_square(luma[y : y + side, x : x + side], size)


def _square(box: Box, landmarks: Points | None) -> Square | None:
    """Return the upright square of a face, None without landmarks that fit its box."""
    if not landmarks:
        return None
    square = upright_square(landmarks)
    fits = SMALLEST_FRAMING <= square.side / max(box.w, box.h, 1) <= LARGEST_FRAMING
    return square if fits else None


def planes_of(image: Image) -> PicturePlanes:
    """Return a picture of any size, as `to_grey` takes it, as planes; of an odd one, the last row or column twice.

    Chroma is that of the mean colour of 2 x 2 pixels, 128 of a grey picture.
    """
    cv2 = require("cv2", "device")
    grey = to_grey(image)
    height, width = grey.shape
    edges = (0, height % 2, 0, width % 2)
    luma = cv2.copyMakeBorder(grey, *edges, cv2.BORDER_REPLICATE) if any(edges) else grey
    half = (luma.shape[1] // 2, luma.shape[0] // 2)
    if image.ndim == 2 or image.shape[2] == 1:
        neutral = np.full(half[::-1], 128, np.uint8)
        return PicturePlanes(luma, neutral, neutral)
    bgr = cv2.copyMakeBorder(image[:, :, :3], *edges, cv2.BORDER_REPLICATE)
    ycrcb = cv2.cvtColor(cv2.resize(bgr, half, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2YCrCb)
    return PicturePlanes(luma, ycrcb[:, :, 2], ycrcb[:, :, 1])


def face_to_rgb(planes: Planes, box: Box, size: int, landmarks: Points | None = None) -> Image:
    """Cut a detected face out of all planes and make it a colour model's input.

    The square is that of `face_to_input`, moved to even pixels, where the smaller chroma planes have theirs. Only the
    crop is converted, never the whole picture.

    Args:
        planes: of the picture.
        box: the face in pixels of the luma plane.
        size: side of the model's input.
        landmarks: as of `face_to_input`.

    Returns:
        uint8 size x size x 3, RGB.
    """
    cv2 = require("cv2", "device")
    square = _square(box, landmarks)
    if square is not None:
        # Chroma has a pixel for two of luma, its middle between theirs.
        small = Square((square.x - 0.5) / 2, (square.y - 0.5) / 2, square.side / 2, square.roll)
        luma, cb, cr = (
            turned_crop(*plane, size) for plane in ((planes.y, square), (planes.cb, small), (planes.cr, small))
        )
        turned: Image = cv2.cvtColor(cv2.merge((luma, cr, cb)), cv2.COLOR_YCrCb2RGB)
        return turned
    height, width = planes.y.shape
    x, y, side, _ = square_around(box, width, height)
    left, top, half = x // 2, y // 2, max(side // 2, 1)
    luma = resize_square(planes.y[2 * top : 2 * (top + half), 2 * left : 2 * (left + half)], size)
    cb, cr = (resize_square(plane[top : top + half, left : left + half], size) for plane in (planes.cb, planes.cr))
    rgb: Image = cv2.cvtColor(cv2.merge((luma, cr, cb)), cv2.COLOR_YCrCb2RGB)
    return rgb


def face_crop(planes: Planes, box: Box, size: int, channels: int, landmarks: Points | None = None) -> Image:
    """Return a face as a model of that many channels sees it: `face_to_input` for one, `face_to_rgb` for three."""
    if channels == 1:
        return face_to_input(planes.y, box, size, landmarks)
    return face_to_rgb(planes, box, size, landmarks)


def image_crop(image: Image, size: int, channels: int) -> Image:
    """Return a picture of one face as a model sees it: `image_to_input` for one channel, RGB planes for three.

    Of a grey picture, which may be a finished crop, all three channels are equal to what `image_to_input` makes of it.
    """
    if channels == 1:
        return image_to_input(image, size)
    if image.ndim == 2 or image.shape[2] == 1:
        return np.repeat(image_to_input(image, size)[:, :, None], 3, axis=2)
    planes = planes_of(image)
    height, width = planes.y.shape
    side = min(height, width)
    return face_to_rgb(planes, Box((width - side) // 2, (height - side) // 2, side, side), size)


def with_channels(images: Any) -> Any:
    """Return N model inputs with an axis of channels: N x S x S becomes N x S x S x 1, N x S x S x 3 stays."""
    return images if images.ndim == 4 else images[..., None]


def normalise_crop(crop: Image, contrast: str) -> Image:
    """Normalise the contrast of one model input.

    Args:
        crop: uint8 S x S; read only.
        contrast: one of `fer_edge.model_file.CONTRASTS`: nothing, histogram equalization, or CLAHE (Zuiderveld 1994,
            "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV).

    Returns:
        uint8 S x S; `crop` itself for ``none``.
    """
    if contrast == "none":
        return crop
    cv2 = require("cv2", "device")
    if contrast == "equalize":
        equalized: Image = cv2.equalizeHist(crop)
        return equalized
    limited: Image = cv2.createCLAHE(CLAHE_CLIP, (CLAHE_TILES, CLAHE_TILES)).apply(crop)
    return limited


def normalise(images: Image, contrast: str) -> Image:
    """Normalise the contrast of N model inputs, uint8 N x S x S, as `normalise_crop` does one."""
    if contrast == "none":
        return images
    return np.stack([normalise_crop(image, contrast) for image in images]) if len(images) else images


def hog_length(size: int) -> int:
    """Return the number of features of a crop of `size` x `size`: 900 for 48."""
    return int(((size - HOG_BLOCK) // HOG_STRIDE + 1) ** 2 * (HOG_BLOCK // HOG_CELL) ** 2 * HOG_BINS)


class HogExtractor:
    """Computes the features of crops of one size; all of them lie in 0..1, and each block's norm is 1."""

    def __init__(self, size: int) -> None:
        """Prepare for crops of `size` x `size`; raises MissingExtraError without OpenCV."""
        cv2 = require("cv2", "device")
        self._descriptor: Any = cv2.HOGDescriptor(
            (size, size), (HOG_BLOCK,) * 2, (HOG_STRIDE,) * 2, (HOG_CELL,) * 2, HOG_BINS
        )

    def features(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the features, float32 (length,), of a uint8 crop of size x size."""
        found: NDArray[np.float32] = self._descriptor.compute(np.ascontiguousarray(crop)).reshape(-1)
        return found
