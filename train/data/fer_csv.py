"""The FER2013 challenge file: ``emotion,pixels,Usage``, also in the ``icml_face_data.csv`` form.

The latter writes the columns in another order and with spaces in the header; both hold one row of
2,304 space-separated pixels per image (Goodfellow et al. 2013, arXiv:1307.0414). CK+ goes around in the same form
as ``ckextended.csv``, with an eighth emotion and without the subjects.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS
from fer_edge.train.data.dataset import SPLITS, Split

SIDE = 48
COLUMNS = ("emotion", "pixels", "Usage")


def read_fer_csv(
    path: Path, advance: Callable[[int], None] = lambda count: None, *, names: tuple[str, ...] = EXPRESSIONS
) -> dict[str, Split]:
    """Read a FER2013 CSV file.

    Args:
        path: the file.
        names: the class of each emotion number.
        advance: called with the number of bytes read since the last call.

    Returns:
        Split name -> images, in the order of the file; only splits that occur.

    Raises:
        DataError: a missing column, a torn row, a wrong number of pixels, a value outside 0..255, an unknown
            emotion or usage; names the file, the row (the first image is row 1) and its line in the file.
    """
    images: dict[str, list[NDArray[np.uint8]]] = {name: [] for name in SPLITS}
    labels: dict[str, list[int]] = {name: [] for name in SPLITS}
    rows: dict[str, list[int]] = {name: [] for name in SPLITS}
    for row, (emotion, pixels, usage) in enumerate(_rows(path, advance)):
        where = f"{path}: row {row + 1} (line {row + 2})"
        label = _label(emotion, where, names)
        if usage not in images:
            raise DataError(f"{where}: expected a Usage of {', '.join(SPLITS)}, found '{usage}'")
        images[usage].append(_pixels(pixels, where))
        labels[usage].append(label)
        rows[usage].append(row)
    splits = {
        name: Split(np.stack(images[name]), np.array(labels[name], np.int64), np.array(rows[name], np.int64))
        for name in SPLITS
        if images[name]
    }
    if not splits:
        raise DataError(f"{path}: expected rows of images below the header, found none")
    return splits


def _rows(path: Path, advance: Callable[[int], None]) -> Iterator[tuple[str, str, str]]:
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
        lines = _counted(stream, advance)
        reader = csv.reader(lines, strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
            missing = [name for name in COLUMNS if name not in header]
            if missing:
                raise DataError(
                    f"{path}: expected the columns {', '.join(COLUMNS)} in the first line, found "
                    f"{', '.join(header)[:80] or 'nothing'}; is this the FER2013 file?"
                )
            positions = [header.index(name) for name in COLUMNS]
            for fields in reader:
                if not fields:  # an empty line, as at the end of many files
                    continue
                if len(fields) != len(header):
                    raise DataError(
                        f"{path}: row {reader.line_num - 1} (line {reader.line_num}): expected {len(header)} fields, "
                        f"found {len(fields)}; the row is torn"
                    )
                emotion, pixels, usage = (fields[position].strip() for position in positions)
                yield emotion, pixels, usage
        except csv.Error as error:
            raise DataError(
                f"{path}: row {reader.line_num - 1} (line {reader.line_num}): expected comma-separated fields, found "
                f"a torn row ({error})"
            ) from error


def _counted(stream: Iterator[str], advance: Callable[[int], None]) -> Iterator[str]:
    for line in stream:
        advance(len(line))
        yield line


def _label(text: str, where: str, names: tuple[str, ...]) -> int:
    if text.isdecimal() and len(text) < 9 and int(text) < len(names):
        return int(text)
    known = ", ".join(f"{i} {name}" for i, name in enumerate(names))
    raise DataError(f"{where}: expected an emotion of {known}; found '{text[:20]}'")


def _pixels(text: str, where: str) -> NDArray[np.uint8]:
    expected = SIDE * SIDE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)  # how numpy reports text that is not a number
            values = np.fromstring(text, dtype=np.int64, sep=" ")
    except (DeprecationWarning, ValueError) as error:
        word = next((word for word in text.split() if not word.isdecimal()), "nothing")
        raise DataError(f"{where}: expected {expected} pixels of 0..255, found '{word[:20]}' among them") from error
    if values.size != expected:
        raise DataError(f"{where}: expected {expected} pixels (48 x 48), found {values.size}")
    if values.min() < 0 or values.max() > 255:
        wrong = values.min() if values.min() < 0 else values.max()
        raise DataError(f"{where}: expected pixels of 0..255, found {wrong}")
    return values.astype(np.uint8).reshape(SIDE, SIDE)
