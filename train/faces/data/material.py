"""The images of a face data set, split and in memory, for training or for measurement."""

from __future__ import annotations

from pathlib import Path

from fer_edge.errors import DataError
from fer_edge.train.faces.data.annotations import LabelledImage
from fer_edge.train.faces.data.formats import read_annotations
from fer_edge.train.faces.data.images import TrainingImage, load_images
from fer_edge.train.faces.data.split import held_out


def training_images(data: Path) -> list[TrainingImage]:
    """Return the images of the training split of a data set, see `read_annotations`.

    Raises:
        DataError: the data set cannot be read, or no face in it is certain.
    """
    images = [image for _, image, out in _all(data) if not out]
    if not any(image.faces.certain.any() for image in images):
        raise DataError(f"{data}: expected images with faces to train on, found {len(images)} without any")
    return images


def held_out_images(data: Path) -> list[tuple[LabelledImage, TrainingImage]]:
    """Return the held-out images with their annotations."""
    return [(item, image) for item, image, out in _all(data) if out]


def _all(data: Path) -> list[tuple[LabelledImage, TrainingImage, bool]]:
    labelled = read_annotations(data)
    images = load_images(labelled)
    out = held_out(labelled, images)
    return [(item, image, bool(o)) for item, image, o in zip(labelled, images, out, strict=True)]
