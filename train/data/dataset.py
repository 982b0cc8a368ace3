"""The form every data set takes in memory: splits of uint8 images and integer labels."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError

TRAINING, PUBLIC_TEST, PRIVATE_TEST = "Training", "PublicTest", "PrivateTest"
SPLITS = (TRAINING, PUBLIC_TEST, PRIVATE_TEST)
"""FER2013's names for its splits, in the order of use; every data set here uses them."""

NAMED = 3
"""Files that a note names."""


@dataclasses.dataclass(frozen=True)
class Split:
    """The images of one split.

    Attributes:
        images: uint8, N x size x size.
        labels: int64, (N,), indices into the data set's labels.
        rows: int64, (N,), where each image stood in its source: the CSV row (0 is the first image),
            or the position in the sorted list of files; -1 for an image that stood nowhere (SMOTE).
        votes: float32, N x classes, what several people said of each image, as shares that sum to 1; None where
            each image has one label.
        subjects: int64, (N,), images of one person have the same number, -1 is a person unknown; None if all are.
        sources: int64, (N,), indices into the data set's sources; None where there is one.
        auxiliary: float32, N x K, shares over other classes than the data set's, for a second output that training
            alone has; None if there are none.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]
    votes: NDArray[np.float32] | None = None
    subjects: NDArray[np.int64] | None = None
    sources: NDArray[np.int64] | None = None
    auxiliary: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Split:
        """Return the images that `index` selects, in its order, with everything known of them."""
        return Split(
            self.images[index],
            self.labels[index],
            self.rows[index],
            votes=None if self.votes is None else self.votes[index],
            subjects=None if self.subjects is None else self.subjects[index],
            sources=None if self.sources is None else self.sources[index],
            auxiliary=None if self.auxiliary is None else self.auxiliary[index],
        )

    def hashes(self) -> NDArray[np.str_]:
        """Return a digest of the pixels of each image: equal exactly for equal pictures."""
        return np.array([hashlib.blake2b(image.tobytes(), digest_size=16).hexdigest() for image in self.images], "U32")


@dataclasses.dataclass(frozen=True)
class PhotoFaces:
    """What was found in photos that faces were cut out of.

    Attributes:
        photos: how many there are.
        without: files of those without a face, which are left out.
        several: files of those with several faces, of which the largest is taken.
        upright: crops are turned upright by the faces' landmarks.
    """

    photos: int
    without: tuple[str, ...]
    several: tuple[str, ...]
    upright: bool = False

    def notes(self) -> tuple[str, ...]:
        """Return sentences for a reader."""
        said = [
            f"{self.photos} whole photos: the largest face of each is cut out{', upright,' if self.upright else ''} as "
            "`--detector face` does on a device; "
            "--faces as-is takes them whole"
        ]
        if self.without:
            said.append(f"{_share(self.without, self.photos)} without a face are left out, {_such_as(self.without)}")
        if self.several:
            said.append(f"{_share(self.several, self.photos)} show several faces, {_such_as(self.several)}")
        return tuple(said)


def _share(files: tuple[str, ...], photos: int) -> str:
    return f"{len(files)} of {photos} photos"


def _such_as(files: tuple[str, ...]) -> str:
    return f"such as {', '.join(files[:NAMED])}"


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A data set: named splits that share one list of labels.

    Attributes:
        name: what the user asked for, as written in results.
        labels: class names.
        splits: split name -> images; only splits that exist.
        fingerprint: SHA-256 over pixels, labels and splits, so that run metadata can name its data.
        sources: names of the data sets that were joined; empty where there is one.
        notes: sentences a user should read before using it: how it was split, which labels were mapped.
        files: for each source, the files of its images, so that `Split.rows` counts in it; empty where the images
            have no files.
        photos: what was found where faces were cut out of photos; None where the pictures are faces.
    """

    name: str
    labels: tuple[str, ...]
    splits: Mapping[str, Split]
    fingerprint: str
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[tuple[str, ...], ...] = ()
    photos: PhotoFaces | None = None

    @classmethod
    def make(
        cls,
        name: str,
        labels: tuple[str, ...],
        splits: Mapping[str, Split],
        sources: tuple[str, ...] = (),
        notes: tuple[str, ...] = (),
        files: tuple[tuple[str, ...], ...] = (),
        photos: PhotoFaces | None = None,
    ) -> Dataset:
        """Build a data set and compute its fingerprint."""
        digest = hashlib.sha256("\n".join(labels).encode())
        for split_name, split in splits.items():
            digest.update(f"\n{split_name} {split.images.shape}\n".encode())
            digest.update(np.ascontiguousarray(split.images).data)
            digest.update(np.ascontiguousarray(split.labels).data)
            for kind, values in (("votes", split.votes), ("subjects", split.subjects), ("auxiliary", split.auxiliary)):
                if values is not None:
                    digest.update(f"\n{kind}\n".encode())
                    digest.update(np.ascontiguousarray(values).data)
        return cls(name, labels, dict(splits), digest.hexdigest(), sources, notes, files, photos)

    def file_of(self, split: Split, index: int) -> str:
        """Return the file of an image of a split, below its source's root; empty where it has none."""
        source = 0 if split.sources is None else int(split.sources[index])
        files, row = self.files[source] if self.files else (), int(split.rows[index])
        return files[row] if 0 <= row < len(files) else ""

    def split(self, name: str) -> Split:
        """Return one split.

        Raises:
            DataError: the data set has no such split.
        """
        if name not in self.splits:
            raise DataError(f"{self.name}: expected a split named {name}, found {', '.join(self.splits) or 'none'}")
        return self.splits[name]
