"""Balancing the classes by resampling: on Training alone, and the way that leaks.

The methods are those of imbalanced-learn on raw pixels: random over-sampling; SMOTE (Chawla et al. 2002), which draws
images on the line between one and one of its five nearest neighbours of the class; SMOTE followed by the removal
of Tomek links (Batista et al. 2003) or by edited nearest neighbours (Batista et al. 2004). All raise every class to
the size of the largest.

Resampling before the data is divided puts copies of a test image, or images made from it, into Training. Published
accuracies rest on that; `leaky_resample` repeats it, so that its effect can be measured with `measure_leak`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.lazy import require
from fer_edge.train.data.dataset import PRIVATE_TEST, PUBLIC_TEST, TRAINING, Dataset, Split
from fer_edge.train.data.duplicates import blank

METHODS = ("ros", "smote", "smote-tomek", "smote-enn")
NEIGHBOURS = 5
"""SMOTE's k, as in its paper."""
TEST_SHARE = 0.1
"""Share of the pool that the leaky protocol puts into each of its two test splits."""


def resample(split: Split, method: str, seed: int, names: Sequence[str] = ()) -> Split:
    """Balance the classes of a split.

    Give it what is trained on, after the held-out part is taken away. Computes in float32; SMOTE rounds to whole
    pixels.

    Args:
        split: images; with votes for ``ros`` alone, because SMOTE's images would have none.
        method: one of `METHODS`.
        seed: of the draws.
        names: of the classes, for errors.

    Returns:
        The images kept, in their order, then the new ones; an image made by SMOTE has row -1. Subjects and sources
        are known after ``ros`` alone.

    Raises:
        DataError: one class, too few images of a class for SMOTE's neighbours, or votes.
    """
    require("imblearn", "train")
    from imblearn.over_sampling import RandomOverSampler

    present, counts = np.unique(split.labels, return_counts=True)
    if len(present) < 2:
        raise DataError(f"expected images of two or more classes to balance by {method}, found {len(present)}")
    if method == "ros":
        sampler = RandomOverSampler(random_state=seed)
        index, _ = sampler.fit_resample(np.arange(len(split))[:, None], split.labels)
        return split.take(index[:, 0])
    if split.votes is not None or split.auxiliary is not None:
        raise DataError(f"expected one label an image to balance by {method}, found votes; use ros, or majority labels")
    if counts.min() <= NEIGHBOURS:
        rarest = int(present[counts.argmin()])
        raise DataError(
            f"expected at least {NEIGHBOURS + 1} images of each class to balance by {method}, "
            f"found {counts.min()} of '{names[rarest] if names else rarest}'; use ros"
        )
    return _smote(split, method, seed)


def _smote(split: Split, method: str, seed: int) -> Split:
    from imblearn.over_sampling import SMOTE
    from imblearn.under_sampling import EditedNearestNeighbours, TomekLinks

    pixels = split.images.reshape(len(split), -1).astype(np.float32)
    pixels, labels = SMOTE(k_neighbors=NEIGHBOURS, random_state=seed).fit_resample(pixels, split.labels)
    kept = np.arange(len(labels))
    if method != "smote":
        # The same two steps as imblearn.combine, one by one, because these say which images they keep.
        cleaner = TomekLinks if method == "smote-tomek" else EditedNearestNeighbours
        cleaning = cleaner(sampling_strategy="all")
        cleaning.fit_resample(pixels, labels)
        kept = np.sort(cleaning.sample_indices_)
    images = np.rint(pixels).clip(0, 255).astype(np.uint8).reshape(-1, *split.images.shape[1:])
    rows = np.concatenate([split.rows, np.full(len(labels) - len(split), -1)])
    return Split(images, labels.astype(np.int64), rows).take(kept)


def leaky_resample(dataset: Dataset, method: str, seed: int, *, drop_duplicates: bool = False) -> Dataset:
    """Repeat the flawed protocol: pool all splits, balance the pool, and only then divide it 80/10/10 at random.

    Args:
        dataset: its splits are pooled.
        method: one of `METHODS`.
        seed: of the draws and of the division.
        drop_duplicates: remove blank images and repeated ones from the pool first.

    Returns:
        A data set that says so in its name and notes; no accuracy on its tests may be quoted without that.

    Raises:
        DataError: see `resample`.
    """
    everything = pool(dataset)
    if drop_duplicates:
        _, first = np.unique(everything.hashes(), return_index=True)
        everything = everything.take(np.sort(first))
        everything = everything.take(~blank(everything))
    balanced = resample(everything, method, seed, dataset.labels)
    order = np.random.default_rng(seed).permutation(len(balanced))
    tests = round(len(balanced) * TEST_SHARE)
    splits = {
        TRAINING: balanced.take(order[2 * tests :]),
        PUBLIC_TEST: balanced.take(order[:tests]),
        PRIVATE_TEST: balanced.take(order[tests : 2 * tests]),
    }
    note = (
        f"LEAKY: all splits were pooled and balanced by {method} before they were divided 80/10/10, so the tests hold "
        "copies of training images or images made from them; accuracies on them say little about new faces"
    )
    return Dataset.make(
        f"{dataset.name} (leaky {method})", dataset.labels, splits, dataset.sources, (*dataset.notes, note)
    )


def pool(dataset: Dataset) -> Split:
    """Return all images of a data set as one split, without votes."""
    splits = list(dataset.splits.values())
    sources = [split.sources for split in splits if split.sources is not None]
    return Split(
        np.concatenate([split.images for split in splits]),
        np.concatenate([split.labels for split in splits]),
        np.concatenate([split.rows for split in splits]),
        sources=np.concatenate(sources) if len(sources) == len(splits) else None,
    )


def measure_leak(
    dataset: Dataset, originals: Split, test: str = PUBLIC_TEST
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find the images of a test split that Training shares, from the pixels alone.

    Args:
        dataset: its Training may be resampled.
        originals: all images before resampling, see `pool`.
        test: name of the test split.

    Returns:
        For each image whether it is in Training, pixel for pixel; and whether it is that, is made from an image that
        Training holds or is made from, or was used to make one of Training's.
    """
    training, tested = dataset.split(TRAINING), dataset.split(test)
    identical = np.isin(tested.hashes(), training.hashes())
    trained_on = np.unique(ancestors(training, originals))
    return identical, identical | np.isin(ancestors(tested, originals), trained_on[trained_on >= 0]).any(axis=1)


def ancestors(split: Split, originals: Split) -> NDArray[np.int64]:
    """Find the pictures each image is made from: itself, or for an image of SMOTE the two ends of its line.

    An image of SMOTE lies between two originals of its class, up to the rounding of its pixels by at most 1/2. The
    nearest original is taken for one end, the original that lies closest to the direction from there to the
    image for the other.

    Returns:
        int64, N x 2, numbers of the originals (equal pictures have the same); -1 where there is no such line.
    """
    hashes = originals.hashes()
    names, first = np.unique(hashes, return_index=True)
    place = np.searchsorted(names, split.hashes()).clip(max=len(names) - 1)
    found = np.where(names[place] == split.hashes(), first[place], -1)
    result = np.stack([found, found], axis=1)
    for label in np.unique(split.labels[found < 0]):
        made = np.flatnonzero((found < 0) & (split.labels == label))
        own = np.intersect1d(first, np.flatnonzero(originals.labels == label))
        if len(own):
            ends = _line_ends(_flat(split.images[made]), _flat(originals.images[own]))
            result[made] = np.where(ends < 0, -1, own[ends])
    return result


def _flat(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    # About zero, so that float32 products lose nothing that counts beside the rounding.
    return images.reshape(len(images), -1).astype(np.float32) - np.float32(128)


def _line_ends(made: NDArray[np.float32], own: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return, M x 2, which two of `own` each of `made` lies between, -1 where none."""
    tolerance = 0.5 * made.shape[1] ** 0.5  # the longest error that rounding makes
    squares = np.einsum("ij,ij->i", own, own)
    between = own @ own.T
    ends = np.empty((len(made), 2), np.int64)
    for start in range(0, len(made), 1024):
        block = made[start : start + 1024]
        row = np.arange(len(block))
        along = block @ own.T
        near = (squares - 2 * along).argmin(axis=1)
        # For s = made, a = nearest, b = another: the scalar product of s - a and b - a, and their lengths.
        product = along - along[row, near][:, None] - between[near] + squares[near][:, None]
        offset = np.linalg.norm(block - own[near], axis=1)
        reach = np.sqrt(np.maximum(squares - 2 * between[near] + squares[near][:, None], 1e-6))
        reach[row, near] = np.inf
        cosine = product / reach / np.maximum(offset, 1e-6)[:, None]
        far = cosine.argmax(axis=1)
        away = offset * np.sqrt(np.maximum(1 - cosine[row, far] ** 2, 0))
        lies = (away <= tolerance) & (cosine[row, far] > 0) & (offset <= reach[row, far] + tolerance)
        far = np.where(offset <= tolerance, near, far)
        lies |= offset <= tolerance
        ends[start : start + 1024] = np.where(lies[:, None], np.stack([near, far], axis=1), -1)
    return ends
