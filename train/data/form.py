"""Data sets as crops of another size than FER2013's, or in colour, for networks that see such."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from fer_edge.preprocess import image_crop
from fer_edge.train.data.dataset import Split


class Form(NamedTuple):
    """What images are: `size` x `size` pixels, grey (one channel) or RGB (three).

    `framing` says how a face is cut out of a photo, as a model file does: one of `fer_edge.model_file.FRAMINGS`.
    """

    size: int = 48
    channels: int = 1
    framing: str = "box"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image."""
        return (self.size, self.size) if self.channels == 1 else (self.size, self.size, self.channels)

    def __str__(self) -> str:
        return f"{self.size}x{self.size} {'grey' if self.channels == 1 else 'RGB'} pixels"


FER_FORM = Form()
"""FER2013's own."""


def as_form(splits: Mapping[str, Split], form: Form) -> dict[str, Split]:
    """Return splits of grey images in another form: resized, and with three equal channels for RGB."""
    return {name: _split_as(split, form) for name, split in splits.items()}


def _split_as(split: Split, form: Form) -> Split:
    if split.images.shape[1:] == form.shape:
        return split
    images = np.empty((len(split), *form.shape), np.uint8)
    for image, grey in zip(images, split.images, strict=True):
        image[:] = image_crop(grey, form.size, form.channels)
    return dataclasses.replace(split, images=images)
