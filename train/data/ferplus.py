"""FER+: what ten people said of every FER2013 image (Barsoum et al. 2016, arXiv:1608.01041).

``fer2013new.csv`` stands beside ``fer2013.csv``, row for row: ``Usage,Image name`` and the counts of ten votes
over eight expressions, ``unknown`` and ``NF`` (no face). Which images are kept and what their target is follows
the rules of the authors' own reader (github.com/microsoft/FERPlus), which the paper leaves open:

- a class with a single vote counts as an outlier and loses it;
- *majority*: the class with more than half of the remaining votes is the label; images without one are left out;
- *distribution*: classes are taken in the order of their votes until they hold three quarters of them or are
  three; it ends at ``unknown`` or ``NF``. Images whose classes hold no more than half of the votes, or that
  have more than three classes because of ties, are left out. What was taken, scaled to sum 1, is the target,
  of the cross-entropy as it is, or of *probability* training, which draws one label from it every epoch.

Images that are ``unknown`` or no face by either rule are left out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS, canonical
from fer_edge.text import printable
from fer_edge.train.data.classes import EIGHT
from fer_edge.train.data.dataset import TRAINING, Dataset, Split
from fer_edge.train.data.files.csv_file import at_path

NO_EXPRESSION = ("unknown", "NF")
ENOUGH, MAJORITY, MOST_CLASSES = 0.75, 0.5, 3
MOST_DIGITS = 6  # of a count of votes; ten people vote


def load_ferplus(dataset: Dataset, path: Path, *, soft: bool = True) -> Dataset:
    """Relabel FER2013 with the votes of FER+.

    Args:
        dataset: a FER2013 CSV file as it was read; its `Split.rows` find the votes.
        path: ``fer2013new.csv``.
        soft: Training keeps the images of the *distribution* rule and has their targets in `Split.votes`;
            otherwise it keeps those with a majority and has none. Test splits always hold the images with a
            majority, as in the paper, so that accuracies of both compare.

    Returns:
        The data set with the eight classes `EIGHT`; an image's label is its majority, or else its most voted class,
        the first of them where several have as many votes. A test split of which no image is kept is left out.

    Raises:
        DataError: `path` is not such a file, its rows are not those of `dataset`, or it keeps no image of Training,
            or none at all.
    """
    usages, counts = read_votes(path)
    check_rows(dataset, path, usages)
    splits, total = {}, 0
    for name, split in dataset.splits.items():
        as_votes = soft and name == TRAINING
        rule = vote_distribution if as_votes else majority
        targets = np.stack([rule(row) for row in counts[split.rows]])
        kept = targets.sum(axis=1) > 0
        total += int(kept.sum())
        if not kept.any():
            continue
        kept_split = split.take(kept)
        votes = targets[kept].astype(np.float32)
        splits[name] = Split(
            kept_split.images, votes.argmax(axis=1), kept_split.rows, votes=votes if as_votes else None
        )
    empty = [name for name in dataset.splits if name not in splits]
    if TRAINING in empty or not splits:
        raise DataError(
            f"{path}: expected votes that keep images of {', '.join(empty)}, found all of them unknown, no face or "
            "disputed; use the fer2013new.csv as it was published"
        )
    images = sum(len(split) for split in dataset.splits.values())
    note = (
        f"FER+ labels from {path.name} by {'vote distribution, tests by majority' if soft else 'majority'}: "
        f"{total} of {images} images kept, the rest is unknown, no face, or disputed"
        f"{'; no image is left of ' + ' and '.join(empty) if empty else ''}"
    )
    return Dataset.make(f"{dataset.name} (FER+)", EIGHT, splits, notes=(*dataset.notes, note))


def majority(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the majority's class as a one-hot vector.

    Args:
        counts: votes (10,) over `EIGHT` and `NO_EXPRESSION`.

    Returns:
        (8,) over `EIGHT`; all zero if the image is to be left out.
    """
    votes = np.where(counts > 1, counts, 0)
    winner: NDArray[np.float64] = (votes[: len(EIGHT)] > MAJORITY * votes.sum()).astype(np.float64)
    return winner


def vote_distribution(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of each class in the votes.

    Args:
        counts: votes (10,) over `EIGHT` and `NO_EXPRESSION`.

    Returns:
        (8,) over `EIGHT`, summing to 1; all zero if the image is to be left out.
    """
    votes = np.where(counts > 1, counts, 0)
    expressions, others = votes[: len(EIGHT)], votes[len(EIGHT) :]
    taken = np.zeros(len(EIGHT))
    for count in sorted(set(votes[votes > 0].tolist()), reverse=True):
        if taken.sum() >= ENOUGH * votes.sum() or np.count_nonzero(taken) >= MOST_CLASSES:
            break
        taken[expressions == count] = count
        if (others == count).any():
            # Equal votes for "unknown" end the list, and are more than any expression that comes after.
            if not (expressions >= count).any():
                return np.zeros(len(EIGHT))
            break
    if taken.sum() <= MAJORITY * votes.sum() or np.count_nonzero(taken) > MOST_CLASSES:
        return np.zeros(len(EIGHT))
    share: NDArray[np.float64] = taken / taken.sum()
    return share


def read_votes(path: Path) -> tuple[list[str], NDArray[np.int64]]:
    """Read ``fer2013new.csv``.

    Returns:
        The Usage of each row, and its votes, N x 10 over `EIGHT` and `NO_EXPRESSION`.

    Raises:
        DataError: a missing column, a torn row, or a vote that is not a count; names the file and the line.
    """
    wanted = [*EIGHT, *(name.lower() for name in NO_EXPRESSION)]
    usages, counts = [], []
    with at_path(path).rows() as rows:
        header = [canonical(name) for name in rows.header]
        missing = [name for name in ("usage", *wanted) if name not in header]
        if missing:
            raise DataError(
                f"{path}: expected the columns of FER+'s fer2013new.csv in the first line, missing {', '.join(missing)}"
            )
        usage, positions = header.index("usage"), [header.index(name) for name in wanted]
        for fields in rows:
            if len(fields) != len(header) or not all(_is_count(fields[p].strip()) for p in positions):
                raise DataError(
                    f"{path}: line {rows.line}: expected a Usage, a name and {len(wanted)} counts of votes "
                    f"of {MOST_DIGITS} digits at most, found '{printable(','.join(fields), 60)}'"
                )
            usages.append(fields[usage].strip())
            counts.append([int(fields[p]) for p in positions])
    return usages, np.array(counts, np.int64).reshape(-1, len(wanted))


def _is_count(text: str) -> bool:
    return text.isdecimal() and len(text) <= MOST_DIGITS


def check_rows(dataset: Dataset, path: Path, usages: list[str]) -> None:
    """Raise DataError unless row i of `usages` can speak of row i of the data set."""
    if dataset.labels != EXPRESSIONS:
        raise DataError(
            f"{path}: expected to relabel FER2013, found {dataset.name} with the labels {', '.join(dataset.labels)}"
        )
    usage = np.array(usages)
    images = {name: len(split) for name, split in dataset.splits.items()}
    for name, split in dataset.splits.items():
        inside = split.rows[split.rows < len(usage)]
        if len(inside) < len(split) or (usage[inside] != name).any() or (usage == name).sum() != len(split):
            found = {split_name: int((usage == split_name).sum()) for split_name in images}
            raise DataError(
                f"{path}: expected one row for each row of {dataset.name} in its order ({_listed(images)}), "
                f"found {_listed(found)}{'' if found != images else ' in another order'}; "
                "use the fer2013.csv and the fer2013new.csv that belong together"
            )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
