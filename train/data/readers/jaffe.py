"""JAFFE: 213 grey photos of ten women, ``KA.AN1.39.tiff``: subject, expression and its number, number of the photo.

Lyons et al. 1998, "Coding Facial Expressions with Gabor Wavelets". All pictures lie in one folder. Its terms allow
research alone, and no picture may be published beyond the few that they name.
"""

from __future__ import annotations

import re

import numpy as np

from fer_edge.images import is_image_name
from fer_edge.labels import EXPRESSIONS
from fer_edge.train.data.dataset import SPLITS
from fer_edge.train.data.divide import divide
from fer_edge.train.data.files.tree import Tree
from fer_edge.train.data.pictures import Listing, Picture

CODES = {"AN": "angry", "DI": "disgust", "FE": "fear", "HA": "happy", "SA": "sad", "SU": "surprise", "NE": "neutral"}
NAME = re.compile(r"([A-Z]{2})\.(AN|DI|FE|HA|SA|SU|NE)\d\.\d+", re.IGNORECASE)


def is_jaffe(tree: Tree) -> bool:
    """Say whether every picture of a tree is named as in JAFFE, and there is one."""
    pictures = [file for file in tree.files if is_image_name(file)]
    return bool(pictures) and all(NAME.fullmatch(file.stem) for file in pictures)


def list_jaffe(tree: Tree) -> Listing:
    """List the photos of JAFFE, divided by subject."""
    found = [(file, match) for file in tree.files if (match := NAME.fullmatch(file.stem))]
    found = [(file, match) for file, match in found if is_image_name(file)]
    people = np.array([match[1].upper() for _, match in found])
    names, subjects = np.unique(people, return_inverse=True)
    splits = divide(people)
    pictures = [
        Picture(file, EXPRESSIONS.index(CODES[match[2].upper()]), str(split), subject=int(subject))
        for (file, match), split, subject in zip(found, splits, subjects, strict=True)
    ]
    counts = ", ".join(f"{len(np.unique(people[splits == name]))} in {name}" for name in SPLITS)
    notes = (
        f"JAFFE's {len(names)} subjects, from the file names, fixed: {counts}; no subject is in two splits",
        "whole photos, in which a face takes about half of the width",
    )
    return Listing(EXPRESSIONS, pictures, notes)
