"""Readers of the usual formats of face data sets: WIDER FACE, Pascal VOC, YOLO, COCO and JSON lines."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.train.faces.data.annotations import LabelledImage, no_landmarks, read_json_lines

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
WIDER_VALUES = 10
WIDER_INVALID = 7
"""Column of WIDER FACE's mark for faces that nobody can be asked to find."""


def read_annotations(data: Path) -> list[LabelledImage]:
    """Read a face data set; its format follows from what `data` is.

    Args:
        data: a ``.jsonl`` file or a folder with ``annotations.jsonl``; a ``.txt`` file of WIDER FACE, its images in
            ``images`` beside it or in its own folder; a ``.json`` file of COCO, its images likewise; a folder of
            Pascal VOC's ``.xml`` files (or with ``annotations``), its images in ``images`` or beside them; a folder
            with YOLO's ``labels`` and ``images``.

    Raises:
        DataError: there is no such data, it is damaged, or it names no image.
    """
    labelled = _read(data)
    if not labelled:
        raise DataError(f"{data}: expected annotated images, found none")
    return labelled


def _read(data: Path) -> list[LabelledImage]:
    if data.is_dir():
        if (data / "annotations.jsonl").is_file():
            return read_json_lines(data / "annotations.jsonl")
        if (data / "labels").is_dir():
            return read_yolo(data / "labels", data / "images")
        for folder in (data / "annotations", data / "Annotations", data):
            if folder.is_dir() and any(folder.glob("*.xml")):
                return read_voc(folder, image_folder(data))
    readers = {".jsonl": read_json_lines, ".txt": _wider_beside, ".json": _coco_beside}
    if data.is_file() and data.suffix in readers:
        return readers[data.suffix](data)
    raise DataError(
        f"{data}: expected annotations.jsonl, WIDER FACE's .txt, COCO's .json, a folder of Pascal VOC's .xml files or "
        "one with YOLO's 'labels' and 'images', found none of them"
    )


def _wider_beside(path: Path) -> list[LabelledImage]:
    return read_wider(path, image_folder(path.parent))


def _coco_beside(path: Path) -> list[LabelledImage]:
    return read_coco(path, image_folder(path.parent))


def image_folder(folder: Path) -> Path:
    """Return the folder ``images`` of a data set where it has one, or the data set's own."""
    for name in ("images", "JPEGImages"):
        if (folder / name).is_dir():
            return folder / name
    return folder


def read_wider(path: Path, images: Path) -> list[LabelledImage]:
    """Read WIDER FACE's text: a name, a number of faces, a line of ten whole numbers for each face.

    An image without faces may have a line of zeros. Invalid faces are doubtful; boxes without an area are left out.
    """
    lines = _text(path).splitlines()
    labelled, number = [], 0
    while number < len(lines):
        name = lines[number].strip()
        number += 1
        if not name:
            continue
        count = _whole(path, number, lines[number : number + 1], 1)[0]
        rows = [
            _whole(path, number + 1 + i, lines[number + 1 + i : number + 2 + i], WIDER_VALUES) for i in range(count)
        ]
        number += 1 + count
        if count == 0 and number < len(lines) and lines[number].split() == ["0"] * WIDER_VALUES:
            number += 1
        boxes = [row for row in rows if row[2] > 0 and row[3] > 0]
        labelled.append(_labelled(images / name, [row[:4] for row in boxes], [not row[WIDER_INVALID] for row in boxes]))
    return labelled


def _whole(path: Path, line: int, found: Sequence[str], count: int) -> list[int]:
    try:
        values = [int(value) for value in found[0].split()]
        if len(values) != count or any(abs(value) > 1_000_000 for value in values) or (count == 1 and values[0] < 0):
            raise ValueError
    except (ValueError, IndexError) as error:
        shown = found[0][:60] if found else "the end of the file"
        raise DataError(f"{path}:{line + 1}: expected {count} whole numbers, found {shown!r}") from error
    return values


def read_voc(folder: Path, images: Path) -> list[LabelledImage]:
    """Read Pascal VOC's XML files; every object counts as a face, a difficult one as doubtful."""
    return [_voc_image(path, images) for path in sorted(folder.glob("*.xml"))]


def _voc_image(path: Path, images: Path) -> LabelledImage:
    try:
        root = ElementTree.fromstring(_text(path))
    except ElementTree.ParseError as error:
        raise DataError(f"{path}: expected Pascal VOC's XML, found: {error}") from error
    name = root.findtext("filename")
    if not name:
        raise DataError(f"{path}: expected a 'filename', found none")
    boxes, certain = [], []
    for item in root.iter("object"):
        try:
            edges = [float(str(item.findtext(f"bndbox/{edge}"))) for edge in ("xmin", "ymin", "xmax", "ymax")]
        except ValueError as error:
            raise DataError(f"{path}: expected xmin, ymin, xmax and ymax in every 'bndbox', found: {error}") from error
        left, top, right, bottom = edges
        boxes.append((left, top, right - left, bottom - top))
        certain.append((item.findtext("difficult") or "0").strip() != "1")
    return _checked(path, images / name, boxes, certain)


def read_yolo(labels: Path, images: Path) -> list[LabelledImage]:
    """Read YOLO's text files: class, centre right and down, width, height, as shares of the image.

    An image without such a file, or with an empty one, has no faces.
    """
    paths = sorted(path for path in images.rglob("*") if path.suffix.lower() in IMAGE_ENDINGS)
    return [_yolo_image(labels / path.relative_to(images).with_suffix(".txt"), path) for path in paths]


def _yolo_image(label: Path, image: Path) -> LabelledImage:
    rows = [line.split() for line in _text(label).splitlines() if line.strip()] if label.exists() else []
    if not rows:
        return _labelled(image, [], [])
    pixels = cv2.imread(str(image), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise DataError(f"{image}: expected an image that OpenCV reads, found none; check the file")
    height, width = pixels.shape[:2]
    boxes = []
    for row in rows:
        try:
            _, x, y, w, h = (float(value) for value in row[:5])
        except ValueError as error:
            raise DataError(
                f"{label}: expected a class and four numbers a line, found {' '.join(row)[:60]!r}"
            ) from error
        boxes.append(((x - w / 2) * width, (y - h / 2) * height, w * width, h * height))
    return _checked(label, image, boxes, [True] * len(boxes))


def read_coco(path: Path, images: Path) -> list[LabelledImage]:
    """Read COCO's JSON; every annotation with a ``bbox`` counts as a face, one of a crowd as doubtful."""
    try:
        data = json.loads(_text(path))
        names = {item["id"]: str(item["file_name"]) for item in data["images"]}
        boxes: dict[Any, list[tuple[float, ...]]] = {identity: [] for identity in names}
        certain: dict[Any, list[bool]] = {identity: [] for identity in names}
        for item in data["annotations"]:
            left, top, width, height = (float(value) for value in item["bbox"])
            boxes[item["image_id"]].append((left, top, width, height))
            certain[item["image_id"]].append(not item.get("iscrowd", 0))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path}: expected COCO's 'images' (id, file_name) and 'annotations' (image_id, bbox of 4 numbers), "
            f"found: {error!r}"
        ) from error
    return [_checked(path, images / name, boxes[identity], certain[identity]) for identity, name in names.items()]


def _checked(path: Path, image: Path, boxes: Sequence[Sequence[float]], certain: Sequence[bool]) -> LabelledImage:
    for box in boxes:
        if not all(math.isfinite(value) and abs(value) < 1e6 for value in box):
            raise DataError(f"{path}: expected boxes of finite numbers, found {list(box)}")
    kept = [index for index, box in enumerate(boxes) if box[2] > 0 and box[3] > 0]
    return _labelled(image, [boxes[index] for index in kept], [certain[index] for index in kept])


def _labelled(image: Path, boxes: Iterable[Sequence[float]], certain: Sequence[bool]) -> LabelledImage:
    rows: NDArray[np.float32] = np.array([list(box) for box in boxes], np.float32).reshape(-1, 4)
    return LabelledImage(image, rows, no_landmarks(len(rows)), np.array(certain, bool))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: expected a readable text file, found: {error}") from error
