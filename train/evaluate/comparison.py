"""Several models side by side: what each reaches, and by how much they differ on the same images."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.train.data.classes import ordered
from fer_edge.train.evaluate import intervals
from fer_edge.train.evaluate.report import Report, points, share


@dataclasses.dataclass(frozen=True)
class Difference:
    """A model's figures minus those of the first one, on the same images; in shares, with intervals of 95 %.

    Attributes:
        top1: of the accuracy.
        top1_interval: Tango's, paired.
        balanced_accuracy: of the mean recall.
        balanced_accuracy_interval: combined from the classes', which are Tango's.
        macro_f1: of it.
        macro_f1_interval: a bootstrap, paired.
        won: images that only this model is right about.
        lost: images that only the first one is right about.
    """

    top1: float
    top1_interval: intervals.Interval
    balanced_accuracy: float
    balanced_accuracy_interval: intervals.Interval
    macro_f1: float
    macro_f1_interval: intervals.Interval
    won: int
    lost: int

    @classmethod
    def between(cls, first: Report, other: Report) -> Difference:
        """Compare two reports of one split; their labels may differ, their images may not.

        Raises:
            DataError: they were made of other images, or of other true labels.
        """
        labels = ordered({*first.dataset.labels, *other.dataset.labels})
        truth, before, same, after = (
            _under(labels, report, classes) for report in (first, other) for classes in (report.truth, report.called)
        )
        if not (_same_images(first, other) and np.array_equal(truth, same)):
            raise DataError(
                f"{other.models[0]}: expected a report of the images and true labels that {first.models[0]} was "
                f"measured on, found others in {other.split} of {other.dataset.name}; evaluate each model by itself"
            )
        hit, hits = before == truth, after == truth
        classes = [truth == label for label in np.unique(truth)]
        recalls = [float(hits[there].mean() - hit[there].mean()) for there in classes]
        return cls(
            other.metrics.top1 - first.metrics.top1,
            intervals.paired(hit, hits),
            float(np.mean(recalls)) if recalls else 0.0,
            intervals.mean_of(recalls, [intervals.paired(hit[there], hits[there]) for there in classes]),
            other.metrics.macro_f1 - first.metrics.macro_f1,
            intervals.macro_f1(truth, [before, after], len(labels)),
            int((hits & ~hit).sum()),
            int((hit & ~hits).sum()),
        )


def _same_images(first: Report, other: Report) -> bool:
    one, two = (report.dataset.split(report.split) for report in (first, other))
    if not np.array_equal(one.rows, two.rows) or (one.sources is None) != (two.sources is None):
        return False
    return one.sources is None or two.sources is None or np.array_equal(one.sources, two.sources)


def _under(labels: Sequence[str], report: Report, classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return class indices of a report as indices into `labels`."""
    moved: NDArray[np.int64] = np.array([labels.index(label) for label in report.dataset.labels], np.int64)[classes]
    return moved


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Reports of two or more models on one split, the first of which the others are compared with."""

    reports: tuple[Report, ...]

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """What the models are called: their files' names, with the folders where these are alike."""
        paths = [report.models[0] for report in self.reports]
        plain = [path.name for path in paths]
        return tuple(str(path) if plain.count(path.name) > 1 else path.name for path in paths)

    @functools.cached_property
    def differences(self) -> tuple[Difference, ...]:
        """Of each model but the first."""
        return tuple(Difference.between(self.reports[0], report) for report in self.reports[1:])

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of all reports, once each."""
        return tuple(dict.fromkeys(note for report in self.reports for note in report.notes))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Those of all reports, once each."""
        return tuple(dict.fromkeys(warning for report in self.reports for warning in report.warnings))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {
            "reports": [report.to_dict() for report in self.reports],
            "differences": [
                {"model": name, "from": self.names[0], **dataclasses.asdict(difference)}
                for name, difference in zip(self.names[1:], self.differences, strict=True)
            ],
        }

    def to_text(self) -> str:
        """Return it for a reader."""
        first = self.reports[0]
        width = max(len(name) for name in (*self.names, "model"))
        lines = [
            f"{len(self.reports)} models on {first.split} of {first.dataset.name}: {first.metrics.images} images; "
            "ranges are intervals of 95 %",
            "",
            f"{'model':{width}} {'top-1':>22} {'balanced accuracy':>22} {'macro F1':>22} {'calibration error':>18}",
        ]
        for name, report in zip(self.names, self.reports, strict=True):
            metrics, found = report.metrics, report.intervals
            cells = (
                share(metrics.top1, found.top1),
                share(metrics.balanced_accuracy, found.balanced_accuracy),
                share(metrics.macro_f1, found.macro_f1),
            )
            row = " ".join(f"{cell:>22}" for cell in cells)
            lines.append(f"{name:{width}} {row} {metrics.calibration_error:>18.1%}")
        lines += [
            "",
            f"more or less than {self.names[0]} on the same images, in points; a range with 0 shows no difference",
        ]
        for name, difference in zip(self.names[1:], self.differences, strict=True):
            cells = (
                points(difference.top1, difference.top1_interval),
                points(difference.balanced_accuracy, difference.balanced_accuracy_interval),
                points(difference.macro_f1, difference.macro_f1_interval),
            )
            row = " ".join(f"{cell:>22}" for cell in cells)
            lines.append(f"{name:{width}} {row}   right alone: {difference.won}, {self.names[0]}: {difference.lost}")
        return "\n".join([*lines, *self._mirrored(width), *self._under_conditions(width)])

    def _mirrored(self, width: int) -> list[str]:
        if self.reports[0].with_mirror is None:
            return []
        rows = zip(self.names, self.reports, strict=True)
        return ["", "averaged with the mirror image, top-1", *(f"{n:{width}} {r.with_mirror:.1%}" for n, r in rows)]

    def _under_conditions(self, width: int) -> list[str]:
        """Return a line a condition and model: points lost."""
        lines = []
        for condition in self.reports[0].conditions:
            lines += ["", f"{condition}: points more than without it"]
            for name, report in zip(self.names, self.reports, strict=True):
                found = report.conditions[condition]
                lines.append(f"{name:{width}} {points(found.difference, found.interval):>22}")
        return lines

    def draw(self, folder: Path) -> None:
        """Draw each model's confusion matrix and mistakes into a folder of its own below one that exists."""
        for number, (name, report) in enumerate(zip(self.names, self.reports, strict=True), 1):
            inside = folder / f"{number}-{Path(name).name}"
            inside.mkdir(exist_ok=True)
            report.draw(inside)
