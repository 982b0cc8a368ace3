"""CK+ as ``ckplus48.zip`` holds it: ``CK+48/<class>/S010_004_00000017.png``, 48 x 48, grey.

The name says the subject, the sequence and the frame; each sequence gives its last three frames, which look
nearly alike, and a subject shows several expressions (Lucey et al. 2010, "The Extended Cohn-Kanade Dataset").
A split by picture would test on faces that were trained on, so subjects are divided here.
"""

from __future__ import annotations

import dataclasses
import re

import numpy as np

from fer_edge.train.data.dataset import SPLITS
from fer_edge.train.data.divide import divide
from fer_edge.train.data.pictures import Listing

SEED = 2
"""Of the division: the first with which both test splits hold every class."""
NAME = re.compile(r"S(\d{3})_\d{3}_\d{8}")


def is_ckplus(listing: Listing) -> bool:
    """Say whether every picture is named as in CK+, in class folders without splits."""
    return all(picture.split is None and NAME.fullmatch(picture.file.stem) for picture in listing.pictures)


def by_subject(listing: Listing) -> Listing:
    """Return the listing with subjects, and splits that no subject crosses."""
    subjects = np.array([int(picture.file.stem[1:4]) for picture in listing.pictures])
    splits = divide(np.char.mod("%03d", subjects), SEED)
    counts = ", ".join(f"{len(np.unique(subjects[splits == name]))} in {name}" for name in SPLITS)
    pictures = [
        dataclasses.replace(picture, split=str(split), subject=int(subject))
        for picture, split, subject in zip(listing.pictures, splits, subjects, strict=True)
    ]
    note = f"divided by subject, from the file names, fixed: {counts}; no subject is in two splits"
    # The first note says how pictures would be divided.
    return Listing(listing.labels, pictures, (note, *listing.notes[1:]))
