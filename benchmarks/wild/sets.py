"""Faces that no model here was trained on, as square grey crops with one label each."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.detection.cascade import HaarCascade
from fer_edge.device.detection.choice import HAAR, DetectorChoice
from fer_edge.device.detection.detector import FaceDetector
from fer_edge.device.detection.skin import Regions
from fer_edge.device.frame import frame_from_bgr
from fer_edge.device.opencv import cv2
from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS, canonical
from fer_edge.preprocess import Box, centre_square, square_around
from fer_edge.train.data.dataset import PUBLIC_TEST, Split
from fer_edge.train.data.load import load_dataset

ALIGNED = "aligned"
"""The set of `read_photos` whose pictures are crops already, with more around the face than the device cuts."""

ALIGNED_SHARE, CENTRE_SHARE = 0.86, 0.7
"""Side of the crop as a share of the picture's: in an aligned picture, and where the detector finds no face."""

COLUMNS = ("file", "label", "set")


@dataclasses.dataclass(frozen=True)
class Faces:
    """A set of faces.

    Attributes:
        name: of the set.
        crops: uint8, S x S each, S may differ.
        labels: int64, (N,), indices into `EXPRESSIONS`.
        found: faces that the detector found; None where the pictures are crops already.
    """

    name: str
    crops: list[NDArray[np.uint8]]
    labels: NDArray[np.int64]
    found: int | None = None


def read_ckplus(path: Path) -> Faces:
    """Return all faces of CK+, a folder or zip, but those of contempt; it has no neutral ones."""
    return pooled("CK+", str(path))


def read_ferplus(fer2013: Path, votes: Path) -> Faces:
    """Return the images of PublicTest on whose class more than half of FER+'s ten people agree, without contempt."""
    return _faces("FER+", [load_dataset(str(fer2013), votes, soft=False, mapping={"contempt": ""}).split(PUBLIC_TEST)])


def pooled(name: str, spec: str) -> Faces:
    """Return all images of a data set, whatever its splits, that have one of the seven expressions."""
    dataset = load_dataset(spec)
    others = {label: "" for label in dataset.labels if label not in EXPRESSIONS}
    if others:
        dataset = load_dataset(spec, mapping=others)
    return _faces(name, list(dataset.splits.values()))


def _faces(name: str, splits: list[Split]) -> Faces:
    return Faces(
        name, [image for split in splits for image in split.images], np.concatenate([s.labels for s in splits])
    )


def read_photos(folder: Path, choice: DetectorChoice = HAAR) -> list[Faces]:
    """Return the sets of a folder with a ``labels.csv`` of ``file,label,set``, in the file's order.

    The face is where the device's detector, `choice`, finds the largest; where it finds none, the middle. Pictures of
    the set `ALIGNED` are crops already.

    Raises:
        DataError: no such file, a column or picture that is missing, a label that is no expression.
    """
    detector = choice.open() or HaarCascade()
    return [_cut(name, pictures, detector) for name, pictures in read_pictures(folder).items()]


def read_pictures(folder: Path) -> dict[str, list[tuple[Path, int]]]:
    """Return set -> its pictures and their labels, as `read_photos` takes them; raises as it does."""
    rows: dict[str, list[tuple[Path, int]]] = {}
    for number, row in enumerate(_rows(folder / "labels.csv"), 2):
        label = canonical(row["label"])
        if label not in EXPRESSIONS:
            where = f"{folder / 'labels.csv'}: line {number}"
            raise DataError(f"{where}: expected one of {', '.join(EXPRESSIONS)}, found '{row['label']}'")
        rows.setdefault(row["set"], []).append((folder / row["file"], EXPRESSIONS.index(label)))
    return rows


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{path}: expected the columns {', '.join(COLUMNS)}, missing {', '.join(missing)}")
            yield from reader
    except OSError as error:
        raise DataError(f"{path}: expected a list of labelled pictures, cannot read it ({error.strerror})") from error


def _cut(name: str, pictures: list[tuple[Path, int]], detector: FaceDetector) -> Faces:
    crops, found = [], 0
    for path, _ in pictures:
        bgr = cv2.imread(str(path))
        if bgr is None:
            raise DataError(f"{path}: expected a picture, found none that OpenCV can read")
        box = None if name == ALIGNED else largest_face(detector, bgr)
        found += box is not None
        crops.append(
            crop_of(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), box, ALIGNED_SHARE if name == ALIGNED else CENTRE_SHARE)
        )
    labels = np.array([label for _, label in pictures], np.int64)
    return Faces(name, crops, labels, None if name == ALIGNED else found)


def largest_face(detector: FaceDetector, bgr: NDArray[np.uint8]) -> Box | None:
    """Return the box of the widest face in a uint8 H x W x 3 picture, None where there is none."""
    boxes = [face.box for face in detector.detect(frame_from_bgr(bgr), Regions((), "photo"))]
    return max(boxes, key=lambda box: box.w) if boxes else None


def crop_of(grey: NDArray[np.uint8], box: Box | None, share: float) -> NDArray[np.uint8]:
    """Return the square crop of a face as the device cuts it, or without a box the middle `share` of the picture."""
    if box is None:
        whole = centre_square(grey)
        margin = round(whole.shape[0] * (1 - share) / 2)
        return whole[margin : whole.shape[0] - margin, margin : whole.shape[1] - margin]
    x, y, side, _ = square_around(box, grey.shape[1], grey.shape[0])
    return grey[y : y + side, x : x + side]
