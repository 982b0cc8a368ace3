"""What is in a data set, and what is wrong with it, before anything is trained on it."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.train.data.dataset import Dataset
from fer_edge.train.data.duplicates import Findings, blank, conflicts, find_faults
from fer_edge.train.evaluate.plots import plot_distribution, plot_groups, plot_sheet

SHEET = 64
"""Images on a sheet of blank or conflicting ones."""

LISTED = 20
"""Files of a kind in the text."""


@dataclasses.dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes:
        dataset: that was looked at.
        counts: images of each class in each split.
        sources: images of each class from each of the data sets that were joined.
        faults: duplicates, leaks, conflicting labels and blank images.
    """

    dataset: Dataset
    counts: Mapping[str, Mapping[str, int]]
    sources: Mapping[str, Mapping[str, int]]
    faults: Findings

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {
            "name": self.dataset.name,
            "fingerprint": self.dataset.fingerprint,
            "counts": self.counts,
            "sources": self.sources,
            "notes": self.dataset.notes,
            "faults": dataclasses.asdict(self.faults),
            "photos": dataclasses.asdict(self.dataset.photos) if self.dataset.photos else None,
        }

    def to_text(self) -> str:
        """Return it for a reader."""
        splits, faults = self.dataset.splits.values(), self.faults
        lines = [f"{self.dataset.name}: {sum(map(len, splits))} images", *(f"- {note}" for note in self.dataset.notes)]
        lines += ["", *self._table(), ""]
        lines += [
            f"{faults.surplus:6} surplus exact duplicates (images that repeat an earlier one)",
            f"{faults.crossing:6} groups of equal images that cross splits (training drops its side of them)",
            f"{faults.conflicting:6} groups of equal images with conflicting labels",
            f"{faults.blank:6} blank images (standard deviation under 1)",
        ]
        if photos := self.dataset.photos:
            lines += listed("photos without a face, left out", photos.without)
            lines += listed("photos with several faces, of which the largest is taken", photos.several)
        return "\n".join(lines)

    def _table(self) -> list[str]:
        """Return a line a class, with a column a split and a source."""
        columns = list(self.counts.items()) + list(self.sources.items())
        widths = [max(12, len(name) + 2) for name, _ in columns]
        first = max(12, *(len(label) + 2 for label in self.dataset.labels))
        rows = [["class", *(name for name, _ in columns)]]
        rows += [[label, *(str(column[label]) for _, column in columns)] for label in self.dataset.labels]
        rows += [["all", *(str(sum(column.values())) for _, column in columns)]]
        return [
            f"{name:{first}}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
            for name, *cells in rows
        ]

    def draw(self, folder: Path) -> None:
        """Draw the classes, and the images that are blank or have conflicting labels, into a folder; make it."""
        folder.mkdir(parents=True, exist_ok=True)
        dataset = self.dataset
        plot_distribution(dataset, folder / "classes.png")
        if self.faults.blank:
            images, captions = [], []
            for name, split in dataset.splits.items():
                found = np.flatnonzero(blank(split))
                images += list(split.images[found])
                captions += [_caption(dataset, name, int(i)) for i in found]
            title = f"{dataset.name}: blank{_of(min(len(images), SHEET), len(images))}"
            plot_sheet(np.stack(images[:SHEET]), captions[:SHEET], title, folder / "blank.png")
        if groups := conflicts(dataset):
            shown = [group for group, total in zip(groups, _totals(groups), strict=True) if total <= SHEET] or groups[
                :1
            ]
            title = f"{dataset.name}: equal images with conflicting labels{_of(len(shown), len(groups), ' groups')}"
            cells = [[(dataset.splits[n].images[i], _caption(dataset, n, i)) for n, i in group] for group in shown]
            plot_groups(cells, title, folder / "conflicting.png")


def _totals(groups: Sequence[Sequence[object]]) -> list[int]:
    """Return how many images the groups have up to each."""
    return list(itertools.accumulate(len(group) for group in groups))


def _of(shown: int, all_of_them: int, what: str = "") -> str:
    return f", {shown} of {all_of_them}{what}" if shown < all_of_them else ""


def _caption(dataset: Dataset, name: str, index: int) -> str:
    split = dataset.splits[name]
    return f"{name} {split.rows[index]}\n{dataset.labels[split.labels[index]]}"


def listed(title: str, files: Sequence[str]) -> list[str]:
    """Return lines that name files, of very many the first."""
    if not files:
        return []
    more = [f"  and {len(files) - LISTED} more; --json lists all"] if len(files) > LISTED else []
    return ["", f"{len(files)} {title}:", *(f"  {file}" for file in files[:LISTED]), *more]


def inspect_dataset(dataset: Dataset) -> Inspection:
    """Count a data set's images and find its faults."""
    several = dataset.sources
    names = [name if several.count(name) == 1 else f"{name} ({i})" for i, name in enumerate(several, 1)]
    return Inspection(
        dataset,
        {name: _counts(dataset, [split.labels]) for name, split in dataset.splits.items()},
        {
            name: _counts(dataset, [split.labels[split.sources == i] for split in dataset.splits.values()])
            for i, name in enumerate(names)
        },
        find_faults(dataset),
    )


def _counts(dataset: Dataset, labels: Sequence[NDArray[np.int64]]) -> dict[str, int]:
    counts = np.bincount(np.concatenate(labels), minlength=len(dataset.labels))
    return dict(zip(dataset.labels, counts.tolist(), strict=True))
