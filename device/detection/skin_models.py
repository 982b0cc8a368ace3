"""What colour skin has: models of its chroma, each a table that is looked up for every pixel.

A table holds 255 for skin and 0 for the rest, over (Cb, Cr) or (luma, Cb, Cr) in full range, in bins of
one or more levels. Looking a frame up is a back projection (Swain and Ballard, "Color indexing",
International Journal of Computer Vision 7(1), 1991) and costs two or three reads a pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.frame import Frame, Plane
from fer_edge.device.opencv import cv2
from fer_edge.preprocess import Box

Table = NDArray[np.float32]
_LEVELS = (0.0, 256.0)


class SkinModel(Protocol):
    """Tells skin by its colour."""

    def mask(self, frame: Frame, dst: Plane) -> None:
        """Write 255 into `dst`, uint8 of the chroma planes' size, where `frame` has the colour of skin, else 0."""

    def learn(self, frame: Frame, faces: Sequence[Box]) -> None:
        """Take in where faces are in `frame`; most models know all they will ever know."""


class BoxModel:
    """A box in the chroma plane (D. Chai and K. N. Ngan, "Face segmentation using skin-color map in videophone
    applications", IEEE Transactions on Circuits and Systems for Video Technology 9(4), 1999, section III-A).
    """

    CB, CR = (77, 127), (133, 173)
    """Bounds, inclusive."""

    def __init__(self) -> None:
        self._table = np.zeros((256, 256), np.float32)
        self._table[self.CB[0] : self.CB[1] + 1, self.CR[0] : self.CR[1] + 1] = 255

    def mask(self, frame: Frame, dst: Plane) -> None:
        """See `SkinModel`; only the chroma is read."""
        cv2.calcBackProject([frame.cb, frame.cr], [0, 1], self._table, 2 * _LEVELS, 1, dst)

    def learn(self, frame: Frame, faces: Sequence[Box]) -> None:
        """Learn nothing."""


class EllipseModel:
    """An ellipse in the chroma plane, bent with the luma (R.-L. Hsu, M. Abdel-Mottaleb and A. K. Jain, "Face
    detection in color images", IEEE Transactions on Pattern Analysis and Machine Intelligence 24(5), 2002).

    Skin that is dark or overexposed has less colour. The paper straightens the cluster by a transform that
    depends on the luma, and then bounds it by one ellipse; here both are in the table.
    """

    BANDS, BINS = 16, 128
    """Bins of the luma and of each chroma; finer ones change the mask at its edge only."""

    def __init__(self) -> None:
        luma = _limited(_centres(self.BANDS), 219, 16, 0)[:, None, None]
        cb, cr = np.meshgrid(*2 * (_limited(_centres(self.BINS), 224, 128, 128),), indexing="ij")
        table = np.where(in_ellipse(luma, cb, cr), 255, 0).astype(np.float32)
        self._table = cv2.Mat(table, wrap_channels=False)  # else OpenCV takes the last axis for channels
        self._luma: Plane | None = None

    def mask(self, frame: Frame, dst: Plane) -> None:
        """See `SkinModel`."""
        self._luma = cv2.resize(frame.y, dst.shape[::-1], dst=self._luma, interpolation=cv2.INTER_AREA)
        cv2.calcBackProject([self._luma, frame.cb, frame.cr], [0, 1, 2], self._table, 3 * _LEVELS, 1, dst)

    def learn(self, frame: Frame, faces: Sequence[Box]) -> None:
        """Learn nothing."""


def in_ellipse(luma: NDArray[np.float64], cb: NDArray[np.float64], cr: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say what is skin by Hsu, Abdel-Mottaleb and Jain (2002), section 2.2 and figure 5.

    Args:
        luma: in limited range, 16..235.
        cb: in limited range, 16..240; broadcast with the others.
        cr: likewise.
    """
    x = _straightened(luma, cb, centre=(108.0, 118.0, 118.0), width=(46.97, 23.0, 14.0)) - 109.38
    y = _straightened(luma, cr, centre=(154.0, 144.0, 132.0), width=(38.76, 20.0, 10.0)) - 152.02
    cos, sin = np.cos(2.53), np.sin(2.53)
    inside: NDArray[np.bool_] = ((cos * x + sin * y - 1.60) / 25.39) ** 2 + (
        (cos * y - sin * x - 2.41) / 14.03
    ) ** 2 <= 1
    return inside


def _straightened(
    luma: NDArray[np.float64],
    chroma: NDArray[np.float64],
    centre: tuple[float, float, float],
    width: tuple[float, float, float],
) -> NDArray[np.float64]:
    """Undo the bend of the skin cluster; `centre` and `width` are its at medium, lowest and highest luma."""
    darkest, low, high, brightest = 16.0, 125.0, 188.0, 235.0
    places = (darkest, low, high, brightest)
    middle = np.interp(luma, places, (centre[1], centre[0], centre[0], centre[2]))
    spread = np.interp(luma, places, (width[1], width[0], width[0], width[2]))
    straight = (chroma - middle) * width[0] / spread + centre[0]
    return np.where((luma < low) | (luma > high), straight, chroma)


def _centres(bins: int) -> NDArray[np.float64]:
    return (np.arange(bins) + 0.5) * 256 / bins - 0.5


def _limited(levels: NDArray[np.float64], swing: int, offset: int, zero: int) -> NDArray[np.float64]:
    """Turn full range into the limited range of ITU-R BT.601, which the paper's figures are in."""
    return (levels - zero) * swing / 255 + offset


class AdaptiveModel:
    """The chroma of the faces seen lately, as a Gaussian; the box of `BoxModel` until enough were seen.

    So tinted light, in which skin leaves the box, stops costing faces once one was found. What is
    learned stays skin: a face whose colour is too far from the box's centre is not learned from.
    """

    DRIFT = 30.0
    """How far the mean chroma of a face may lie from the centre of the box; grey lies 36 away."""

    ENOUGH = 5
    """Faces to learn from before the model is used."""

    MEMORY = 30
    """Faces over which the model averages: an older one weighs less and less."""

    FORGET = 30.0
    """Seconds without a face after which everything is forgotten, as the light may have changed."""

    NARROWEST, WIDEST = 4.0, 10.0
    """Bounds of the standard deviation in any direction, in levels."""

    INSIDE = 4.61
    """Squared Mahalanobis distance of the mask's edge: 90 % of a Gaussian of two dimensions lies within."""

    BINS = 128
    """Bins of each chroma."""

    def __init__(self) -> None:
        self._box = BoxModel()
        self._centre = np.array([sum(self._box.CB) / 2, sum(self._box.CR) / 2])
        self._grid = np.stack(np.meshgrid(_centres(self.BINS), _centres(self.BINS), indexing="ij"), axis=-1)
        self._table: Table | None = None
        self._learned_at = 0.0
        self._forget()

    def _forget(self) -> None:
        self._table = None
        self._seen = 0
        self._mean, self._covariance = np.zeros(2), np.zeros((2, 2))

    def mask(self, frame: Frame, dst: Plane) -> None:
        """See `SkinModel`; only the chroma is read."""
        if frame.time - self._learned_at > self.FORGET:
            self._forget()
        if self._table is None:
            self._box.mask(frame, dst)
        else:
            cv2.calcBackProject([frame.cb, frame.cr], [0, 1], self._table, 2 * _LEVELS, 1, dst)

    def learn(self, frame: Frame, faces: Sequence[Box]) -> None:
        """Take in the chroma of the middle of each face; see `SkinModel`."""
        learned = [self._take_in(sample) for face in faces if (sample := _middle(frame, face)).size]
        if any(learned):
            self._learned_at = frame.time
            if self._seen >= self.ENOUGH:
                self._table = self._tabulate()

    def _take_in(self, sample: NDArray[np.float64]) -> bool:
        mean = sample.mean(axis=0)
        if np.hypot(*(mean - self._centre)) > self.DRIFT:
            return False
        self._seen += 1
        rate = max(1 / self._seen, 1 / self.MEMORY)
        ahead = mean - self._mean
        around = sample - mean
        self._mean = self._mean + rate * ahead
        # The covariance of a mixture: within the parts, and between their means.
        between = rate * (1 - rate) * np.outer(ahead, ahead)
        self._covariance = (1 - rate) * self._covariance + between + rate * around.T @ around / len(sample)
        return True

    def _tabulate(self) -> Table:
        variances, axes = np.linalg.eigh(self._covariance)
        along = (self._grid - self._mean) @ axes
        distance = (along**2 / np.clip(variances, self.NARROWEST**2, self.WIDEST**2)).sum(axis=-1)
        return np.where(distance <= self.INSIDE, 255, 0).astype(np.float32)


def _middle(frame: Frame, face: Box) -> NDArray[np.float64]:
    """Return the chroma of a face's middle, N x 2, thinned to some hundred pixels; N is 0 outside the frame."""
    x, y, w, h = (value // 2 for value in face)
    step = max(w // 32, 1)
    rows, columns = (
        slice(max(y + h // 4, 0), max(y + 3 * h // 4, 0), step),
        slice(max(x + w // 4, 0), max(x + 3 * w // 4, 0), step),
    )
    return np.stack([frame.cb[rows, columns].ravel(), frame.cr[rows, columns].ravel()], axis=1).astype(np.float64)
