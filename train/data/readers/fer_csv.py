"""The FER2013 challenge file: ``emotion,pixels,Usage``, also in the ``icml_face_data.csv`` form.

The latter writes the columns in another order and with spaces in the header; both hold one row of
2,304 space-separated pixels per image (Goodfellow et al. 2013, arXiv:1307.0414). CK+ goes around in the same form
as ``ckextended.csv``, with an eighth emotion and without the subjects.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS, canonical
from fer_edge.text import printable
from fer_edge.train.data.dataset import SPLITS, Split
from fer_edge.train.data.divide import divide_by_class
from fer_edge.train.data.files.csv_file import CsvFile
from fer_edge.train.data.split_names import official_splits

SIDE = 48
REQUIRED = ("emotion", "pixels")
USAGE = "usage"
COLUMNS = ("emotion", "pixels", "Usage")


def read_fer_csv(
    file: CsvFile, advance: Callable[[int], None] = lambda count: None, *, names: tuple[str, ...] = EXPRESSIONS
) -> dict[str, Split]:
    """Read a FER2013 CSV file.

    Args:
        file: the file, see `fer_edge.train.data.files.csv_file`.
        names: the class of each emotion number.
        advance: called with the number of characters read since the last call.

    Returns:
        Split name -> images, in the order of the file; only splits that occur. A file without a Usage is divided
        80/10/10 in each class by digests of the images.

    Raises:
        DataError: a missing column, a torn row, a wrong number of pixels, a value outside 0..255, an unknown
            emotion or usage; names the file, the row (the first image is row 1) and its line in the file.
    """
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    usages: list[str] = []
    seen: set[str] = set()
    divided = False
    with file.rows(advance) as rows:
        positions = _positions(file, rows.header)
        divided = len(positions) == len(REQUIRED)
        for fields in rows:
            where = f"{file.where}: row {len(images) + 1} (line {rows.line})"
            if len(fields) != len(rows.header):
                raise DataError(f"{where}: expected {len(rows.header)} fields, found {len(fields)}; the row is torn")
            emotion, pixels, *usage = (fields[position].strip() for position in positions)
            labels.append(_label(emotion, where, names))
            if usage:
                if usage[0] not in seen:
                    _check_usage(usage[0], where)
                    seen.add(usage[0])
                usages.append(usage[0])
            images.append(_pixels(pixels, where))
    if not images:
        raise DataError(f"{file.where}: expected rows of images below the header, found none")
    everything = Split(np.stack(images), np.array(labels, np.int64), np.arange(len(images), dtype=np.int64))
    if divided:
        splits = divide_by_class(everything.hashes(), everything.labels)
    else:
        official = official_splits(seen)
        splits = np.array([official[usage] for usage in usages])
    return {name: everything.take(splits == name) for name in SPLITS if (splits == name).any()}


def has_splits(file: CsvFile) -> bool:
    """Say whether a file has a column that says the split of each image."""
    return USAGE in (name.lower() for name in file.header)


def _positions(file: CsvFile, header: list[str]) -> list[int]:
    """Return where emotion, pixels and, if there is one, usage stand."""
    lower = [name.lower() for name in header]
    if not set(REQUIRED) <= set(lower):
        shown = printable(", ".join(header), 80) or "nothing"
        if "pixels" in lower:
            raise DataError(
                f"{file.where}: expected the columns {', '.join(COLUMNS)} in the first line, found {shown}: images "
                "without labels; take the fer2013.csv or icml_face_data.csv of the same download"
            )
        raise DataError(
            f"{file.where}: expected the columns {', '.join(COLUMNS)} in the first line, found {shown}; is this the "
            "FER2013 file?"
        )
    return [lower.index(name) for name in (*REQUIRED, USAGE) if name in lower]


def _check_usage(usage: str, where: str) -> None:
    if not official_splits([usage]):
        raise DataError(f"{where}: expected a Usage of {', '.join(SPLITS)}, found '{printable(usage, 20)}'")


def _label(text: str, where: str, names: tuple[str, ...]) -> int:
    if text.isdecimal() and len(text) < 9 and int(text) < len(names):
        return int(text)
    if canonical(text) in names:
        return names.index(canonical(text))
    known = ", ".join(f"{i} {name}" for i, name in enumerate(names))
    raise DataError(f"{where}: expected an emotion of {known}; found '{printable(text, 20)}'")


def _pixels(text: str, where: str) -> NDArray[np.uint8]:
    expected = SIDE * SIDE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)  # how numpy reports text that is not a number
            values = np.fromstring(text, dtype=np.int64, sep=" ")
    except (DeprecationWarning, ValueError) as error:
        word = next((word for word in text.split() if not word.isdecimal()), "nothing")
        raise DataError(
            f"{where}: expected {expected} pixels of 0..255, found '{printable(word, 20)}' among them"
        ) from error
    if values.size != expected:
        raise DataError(f"{where}: expected {expected} pixels (48 x 48), found {values.size}")
    if values.min() < 0 or values.max() > 255:
        wrong = values.min() if values.min() < 0 else values.max()
        raise DataError(f"{where}: expected pixels of 0..255, found {wrong}")
    return values.astype(np.uint8).reshape(SIDE, SIDE)
