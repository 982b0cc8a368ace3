"""The folder export of FER2013: ``train/<class>/Training_*.png``, ``test/<class>/PublicTest_*`` or ``PrivateTest_*``.

The file name's prefix says the split. Without a known prefix a picture under ``train`` belongs to Training
and one under ``test`` to PublicTest. Pictures may have any size and colour; `image_to_input` makes them
square grey.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS, canonical
from fer_edge.lazy import require
from fer_edge.preprocess import image_to_input
from fer_edge.train.data.dataset import PUBLIC_TEST, SPLITS, TRAINING, Split

SIDE = 48
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
HALVES = {"train": TRAINING, "test": PUBLIC_TEST}
"""Top folder -> split of the pictures whose names do not say it."""


def list_pictures(root: Path) -> list[tuple[Path, str, int]]:
    """Return (file, split, label) of every picture of a folder export, sorted by path.

    Raises:
        DataError: neither ``train`` nor ``test``, a class folder of another name, or one without pictures.
    """
    halves = [root / name for name in HALVES if (root / name).is_dir()]
    if not halves:
        found = ", ".join(sorted(p.name for p in root.iterdir())[:5]) or "an empty folder"
        raise DataError(f"{root}: expected the folders train/<class> and test/<class>, found {found}")
    pictures = []
    for half in halves:
        folders = sorted(p for p in half.iterdir() if p.is_dir() and not p.name.startswith("."))
        if not folders:
            raise DataError(f"{half}: expected one folder for each class ({', '.join(EXPRESSIONS)}), found none")
        for folder in folders:
            name = canonical(folder.name)
            if name not in EXPRESSIONS:
                raise DataError(
                    f"{folder}: expected a class folder named {', '.join(EXPRESSIONS)}, found '{folder.name}'"
                )
            files = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
            if not files:
                raise DataError(f"{folder}: expected pictures ({', '.join(SUFFIXES)}), found none")
            for file in files:
                prefix = file.name.split("_", 1)[0]
                split = prefix if prefix in SPLITS else HALVES[half.name]
                pictures.append((file, split, EXPRESSIONS.index(name)))
    return pictures


def read_folders(
    pictures: list[tuple[Path, str, int]], advance: Callable[[int], None] = lambda count: None
) -> dict[str, Split]:
    """Read the pictures that `list_pictures` found.

    Raises:
        DataError: a file that is not a readable picture.
    """
    images: dict[str, list[NDArray[np.uint8]]] = {name: [] for name in SPLITS}
    labels: dict[str, list[int]] = {name: [] for name in SPLITS}
    rows: dict[str, list[int]] = {name: [] for name in SPLITS}
    for row, (file, split, label) in enumerate(pictures):
        images[split].append(image_to_input(_read(file), SIDE))
        labels[split].append(label)
        rows[split].append(row)
        advance(1)
    return {
        name: Split(np.stack(images[name]), np.array(labels[name], np.int64), np.array(rows[name], np.int64))
        for name in SPLITS
        if images[name]
    }


def _read(file: Path) -> NDArray[np.uint8]:
    cv2 = require("cv2", "train")
    # Through memory, because imread prints its own warning and cannot open names outside the locale's encoding.
    data = np.frombuffer(file.read_bytes(), np.uint8)
    image: NDArray[np.uint8] | None = cv2.imdecode(data, cv2.IMREAD_ANYCOLOR) if data.size else None
    if image is None:
        raise DataError(
            f"{file}: expected a picture, found {data.size} bytes that OpenCV cannot decode; remove the file"
        )
    return image
