"""A data set by what the user typed: a CSV file, a folder or zip of pictures, ``demo``, or several joined."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from fer_edge.errors import DataError
from fer_edge.images import is_image_name
from fer_edge.labels import EXPRESSIONS
from fer_edge.text import printable
from fer_edge.train.data import cache
from fer_edge.train.data.auxiliary import with_auxiliary_votes, with_fused_votes
from fer_edge.train.data.classes import EIGHT, map_each
from fer_edge.train.data.dataset import TRAINING, Dataset, Split
from fer_edge.train.data.demo import make_demo
from fer_edge.train.data.ferplus import load_ferplus
from fer_edge.train.data.files.csv_file import CsvFile
from fer_edge.train.data.files.tree import Tree, open_tree
from fer_edge.train.data.form import FER_FORM, Form, as_form
from fer_edge.train.data.join import join
from fer_edge.train.data.photos.found import cut_faces
from fer_edge.train.data.pictures import Listing, read_pictures
from fer_edge.train.data.readers.ckplus import by_subject, is_ckplus
from fer_edge.train.data.readers.expw import find_label_file, list_faces
from fer_edge.train.data.readers.fer_csv import has_splits, read_fer_csv
from fer_edge.train.data.readers.fer_download import find_fer_csv, holds_csv
from fer_edge.train.data.readers.folders import list_pictures
from fer_edge.train.data.readers.jaffe import is_jaffe, list_jaffe
from fer_edge.train.data.readers.rafdb import find_rafdb, list_rafdb
from fer_edge.train.data.spec import AS_IS, AUTO, DEMO, parts_of
from fer_edge.train.progress import progress_bar

CK_CSV = "ckextended"
"""How the CSV form of CK+ is called; nothing inside it says that it is not FER2013."""


def load_dataset(
    spec: str,
    ferplus: Path | None = None,
    *,
    soft: bool = True,
    mapping: Mapping[str, str] | None = None,
    auxiliary: Path | None = None,
    fused: tuple[Path, float] | None = None,
    form: Form = FER_FORM,
    faces: str = AUTO,
) -> Dataset:
    """Load a data set, from the cache where its source is unchanged.

    Args:
        spec: ``demo`` (generated), a FER2013 CSV file, ``ckextended.csv``, a folder or zip of pictures (CK+, ExpW,
            RAF-DB, JAFFE, FER2013's folder export, one folder for each class), or several of these joined with ``+``.
        ferplus: FER+ votes for the FER2013 CSV file among them, see `load_ferplus`.
        soft: see `load_ferplus`.
        auxiliary: FER+ votes to learn beside the labels, see `with_auxiliary_votes`; for one FER2013 CSV file.
        fused: FER+ votes to mix with the labels and their share, see `with_fused_votes`; for one FER2013 CSV file.
        mapping: class -> the class it becomes, or '' to leave its images out, see `map_each`.
        form: of the images: pictures are read so, those of a CSV file and of ``demo``, 48 x 48 and grey, resized.
        faces: what to do with the pictures of folders and zips: ``crop`` cuts the largest face out of each, ``as-is``
            takes them for faces, ``auto`` looks at some of them to decide.

    Raises:
        DataError: what is there is not such a data set, or Training has one class, or one image of a class.
    """
    paths = parts_of(spec)
    if not paths:
        raise DataError(f"{spec}: expected a fer2013.csv, a folder or zip of pictures or 'demo', found no such file")
    loaded = [_load_one(path, form, faces) for path in paths]
    parts = [part for part, _ in loaded]
    if ferplus is not None:
        csv_files = [i for i, (part, from_csv) in enumerate(loaded) if from_csv and part.labels == EXPRESSIONS]
        if len(csv_files) != 1:
            raise DataError(f"{ferplus}: expected one fer2013.csv to relabel, found {len(csv_files)} in {spec}")
        parts[csv_files[0]] = load_ferplus(parts[csv_files[0]], ferplus, soft=soft)
    if auxiliary is not None:
        if len(parts) != 1:
            raise DataError(f"{auxiliary}: expected one fer2013.csv that the votes belong to, found {spec}")
        parts = [with_auxiliary_votes(parts[0], auxiliary)]
    if fused is not None:
        if len(parts) != 1:
            raise DataError(f"{fused[0]}: expected one fer2013.csv whose labels the votes are mixed with, found {spec}")
        parts = [with_fused_votes(parts[0], *fused)]
    if mapping:
        parts = map_each(parts, mapping)
    dataset = join(parts) if len(parts) > 1 else parts[0]
    _check_classes(dataset)
    notes = (*dataset.notes, *_unlearnable(dataset))
    if any(split.images.shape[1:] != form.shape for split in dataset.splits.values()):
        splits = as_form(dataset.splits, form)
        return Dataset.make(dataset.name, dataset.labels, splits, dataset.sources, notes, dataset.files, dataset.photos)
    return dataclasses.replace(dataset, notes=notes)


def _load_one(spec: str, form: Form, faces: str) -> tuple[Dataset, bool]:
    """Load one data set; say whether it came from a CSV file."""
    if spec == DEMO:
        return _with_faces_note(make_demo(), faces), False
    path = Path(spec)
    if path.is_dir() or path.suffix.lower() == ".zip" or zipfile.is_zipfile(path):
        with open_tree(path) as tree:
            if any(map(is_image_name, tree.files)) or not any(map(holds_csv, tree.files)):
                return _load_tree(tree, form, faces), False
    return _with_faces_note(_load_csv(path, find_fer_csv(path)), faces), True


def _with_faces_note(dataset: Dataset, faces: str) -> Dataset:
    """Say so where `faces` asks for something that is not done to this data set."""
    if faces in (AUTO, AS_IS):
        return dataset
    note = f"--faces {faces} changes nothing: it is for folders and zips of pictures, and these are faces already"
    return dataclasses.replace(dataset, notes=(*dataset.notes, note))


def _load_csv(path: Path, file: CsvFile) -> Dataset:
    ck = any(name.lower().startswith(CK_CSV) for name in (path.name, file.name))
    names = EIGHT if ck else EXPRESSIONS
    source = path if path.is_file() else Path(file.where)
    key = f"{cache.content_key(source)}-{len(names)}-{hashlib.sha256(os.fsencode(file.name)).hexdigest()[:8]}"
    splits = _cached(key, "bytes", file.size, lambda advance: read_fer_csv(file, advance, names=names))
    notes = [] if file.where == str(path) else [f"read from {printable(file.where)}"]
    if ck:
        notes.append(
            "it carries no subjects: frames of one person, nearly alike, may be in several splits; prefer the CK+ "
            "folders"
        )
    if not has_splits(file):
        notes.append(
            "it has no column Usage: each class is divided 80/10/10 by digests of the images; fer2013.csv and "
            "icml_face_data.csv have the splits that published accuracies are of"
        )
    return Dataset.make(printable(path.name or str(path)), names, splits, notes=tuple(notes))


def _load_tree(tree: Tree, form: Form, faces: str) -> Dataset:
    listing, photos = cut_faces(tree, _list(tree), faces)
    if photos and photos.upright:
        form = form._replace(framing="eyes")
    key = tree.key()
    if photos:
        key += f"-{cache.names_key((str(each.file), each.box, each.landmarks) for each in listing.pictures)}"
    if form != FER_FORM:
        key += f"-{form.size}x{form.channels}-{form.framing}"
    count = len(listing.pictures)
    splits = _cached(key, "pictures", count, lambda advance: read_pictures(tree, listing.pictures, advance, form))
    name = printable(tree.root.name or str(tree.root))
    files = tuple(str(picture.file) for picture in listing.pictures)
    return Dataset.make(name, listing.labels, splits, notes=listing.notes, files=(files,), photos=photos)


def _list(tree: Tree) -> Listing:
    """Find the pictures of a tree by the layout that it has."""
    if label_file := find_label_file(tree):
        return list_faces(tree, label_file)
    if found := find_rafdb(tree):
        return list_rafdb(tree, found)
    if is_jaffe(tree):
        return list_jaffe(tree)
    listing = list_pictures(tree)
    return by_subject(listing) if is_ckplus(listing) else listing


def _check_classes(dataset: Dataset) -> None:
    if TRAINING not in dataset.splits:
        return
    counts = np.bincount(dataset.splits[TRAINING].labels, minlength=len(dataset.labels))
    present = [label for label, count in zip(dataset.labels, counts, strict=True) if count]
    if len(present) < 2:
        found = f"{present[0]} alone" if present else "none"
        raise DataError(f"{dataset.name}: expected images of two or more classes in Training, found {found}")
    lonely = [label for label, count in zip(dataset.labels, counts, strict=True) if count == 1]
    if lonely:
        raise DataError(
            f"{dataset.name}: expected two or more images of each class in Training, found one of {', '.join(lonely)}; "
            "add some or leave the class out"
        )


def _unlearnable(dataset: Dataset) -> tuple[str, ...]:
    """Say which classes a test split has and Training has not: all their images will count as wrong."""
    if TRAINING not in dataset.splits:
        return ()
    learned = set(dataset.splits[TRAINING].labels.tolist())
    lost = {
        dataset.labels[label] for split in dataset.splits.values() for label in set(split.labels.tolist()) - learned
    }
    if not lost:
        return ()
    return (f"not in Training, but in a test split: {', '.join(sorted(lost))}; training cannot teach them",)


def _cached(
    key: str, unit: str, total: int, read: Callable[[Callable[[int], None]], dict[str, Split]]
) -> dict[str, Split]:
    splits = cache.load(key)
    if splits is None:
        with progress_bar(f"reading {unit}", total, in_bytes=unit == "bytes") as advance:
            splits = read(advance)
        cache.store(key, splits)
    return splits
