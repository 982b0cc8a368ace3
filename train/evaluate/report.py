"""All that is measured of a model on one split, for a reader, a script and as pictures."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.machine import describe_machine
from fer_edge.metrics import Metrics
from fer_edge.model_file import file_hash
from fer_edge.train.data.dataset import Dataset
from fer_edge.train.data.split_names import split_of
from fer_edge.train.evaluate import intervals
from fer_edge.train.evaluate.evaluation import (
    Evaluation,
    UnderCondition,
    evaluate_models,
    leak_warnings,
    measure_robustness,
    measure_with_mirror,
    worst_mistakes,
)
from fer_edge.train.evaluate.fit import fit_to_model
from fer_edge.train.evaluate.plots import plot_confusion, plot_sheet

MISTAKES = 40
"""On the sheet of the worst."""


@dataclasses.dataclass(frozen=True)
class Intervals:
    """Intervals of 95 %, in shares of 0..1.

    Attributes:
        top1: of the accuracy, Wilson's.
        balanced_accuracy: of the mean recall, combined from the classes'.
        macro_f1: a bootstrap.
        recall: of each class, Wilson's; (0, 1) where it does not occur.
        precision: of each class, likewise; (0, 1) where it is never said.
    """

    top1: intervals.Interval
    balanced_accuracy: intervals.Interval
    macro_f1: intervals.Interval
    recall: tuple[intervals.Interval, ...]
    precision: tuple[intervals.Interval, ...]

    @classmethod
    def of(cls, metrics: Metrics, truth: NDArray[np.int64], called: NDArray[np.int64]) -> Intervals:
        """Compute them; `truth` and `called` are class indices of the images."""
        hits, said = np.diag(metrics.confusion), metrics.confusion.sum(axis=0)
        support = metrics.confusion.sum(axis=1)
        recall = tuple(intervals.wilson(hit, count) for hit, count in zip(hits, support, strict=True))
        there = [i for i, count in enumerate(support) if count]
        return cls(
            intervals.wilson(int(hits.sum()), metrics.images),
            intervals.mean_of([metrics.classes[i].recall for i in there], [recall[i] for i in there]),
            intervals.macro_f1(truth, [called], len(support)),
            recall,
            tuple(intervals.wilson(hit, count) for hit, count in zip(hits, said, strict=True)),
        )


@dataclasses.dataclass(frozen=True)
class Report:
    """What was measured of a model, or of the mean of several; accuracies are shares in 0..1.

    Attributes:
        models: the files.
        dataset: what was measured on, under the labels of the models.
        split: of it.
        evaluation: all figures, and the scores, float32, N x classes.
        notes: what was left out of photos, and which classes were measured where the models know others.
        warnings: of models that were trained on images of the split.
        with_mirror: top-1 of the mean with the mirror images, or None.
        conditions: the figures under each condition of `fer_edge.train.evaluate.robustness`; empty if not asked for.
    """

    models: tuple[Path, ...]
    dataset: Dataset
    split: str
    evaluation: Evaluation
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    with_mirror: float | None
    conditions: Mapping[str, UnderCondition]

    @property
    def metrics(self) -> Metrics:
        """Accuracies, calibration error and the classes' precision and recall."""
        return self.evaluation.metrics

    @property
    def scores(self) -> NDArray[np.float32]:
        """Probabilities, float32, N x classes."""
        return self.evaluation.scores

    @property
    def truth(self) -> NDArray[np.int64]:
        """The images' classes, (N,), indices into the labels of `dataset`."""
        return self.dataset.split(self.split).labels

    @property
    def called(self) -> NDArray[np.int64]:
        """The classes that the models say, likewise."""
        called: NDArray[np.int64] = self.scores.argmax(axis=1).astype(np.int64)
        return called

    @functools.cached_property
    def intervals(self) -> Intervals:
        """Intervals of 95 % of the figures."""
        return Intervals.of(self.metrics, self.truth, self.called)

    @property
    def title(self) -> str:
        """Which models on which split."""
        return f"{' + '.join(path.name for path in self.models)} on {self.split}"

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        files = [{"file": path.name, "sha256": file_hash(path), "bytes": path.stat().st_size} for path in self.models]
        data = {"name": self.dataset.name, "fingerprint": self.dataset.fingerprint, "split": self.split}
        result = {"models": files, "data": data, "machine": describe_machine(), **self.metrics.to_dict()}
        result["intervals"] = dataclasses.asdict(self.intervals)
        if self.notes:
            result["notes"] = list(self.notes)
        if self.warnings:
            result["warnings"] = list(self.warnings)
        if self.with_mirror is not None:
            result["with_mirror"] = self.with_mirror
        if self.conditions:
            result["robustness"] = {name: found.top1 for name, found in self.conditions.items()}
            result["robustness_errors"] = {name: found.difference_se for name, found in self.conditions.items()}
            result["robustness_intervals"] = {name: found.interval for name, found in self.conditions.items()}
        return result

    def to_text(self) -> str:
        """Return it for a reader."""
        metrics, found = self.metrics, self.intervals
        lines = [
            f"{self.title}: {metrics.images} images; ranges are intervals of 95 %",
            f"top-1 {share(metrics.top1, found.top1)}   top-2 {metrics.top2:.1%}   top-3 {metrics.top3:.1%}",
            f"balanced accuracy {share(metrics.balanced_accuracy, found.balanced_accuracy)}   "
            f"macro F1 {share(metrics.macro_f1, found.macro_f1)}   calibration error {metrics.calibration_error:.1%}",
            "",
            f"{'class':12} {'precision':>24} {'recall':>24} {'F1':>7} {'support':>8}",
        ]
        for i, c in enumerate(metrics.classes):
            said = metrics.confusion[:, i].any()
            precision = share(c.precision, found.precision[i]) if said else "-"
            recall = share(c.recall, found.recall[i]) if c.support else "-"
            lines.append(f"{c.label:12} {precision:>24} {recall:>24} {c.f1:7.1%} {c.support:8}")
        if self.with_mirror is not None:
            lines += ["", f"averaged with the mirror image: top-1 {self.with_mirror:.1%}"]
        for name, under in self.conditions.items():
            lines.append(f"{name:14} top-1 {under.top1:.1%}  {points(under.difference, under.interval)} points")
        return "\n".join(lines)

    def draw(self, folder: Path) -> None:
        """Draw the confusion matrix and the most confident mistakes into a folder that exists."""
        plot_confusion(self.metrics, f"{self.title}: {self.metrics.top1:.1%}", folder / "confusion.png")
        split, scores, labels = self.dataset.split(self.split), self.scores, self.dataset.labels
        worst = worst_mistakes(self.evaluation, split, MISTAKES)
        called = scores[worst].argmax(axis=1)
        captions = [
            f"{labels[split.labels[i]]} → {labels[k]} {scores[i, k]:.0%}" for i, k in zip(worst, called, strict=True)
        ]
        title = f"{self.title}: most confident mistakes (true → predicted)"
        plot_sheet(split.images[worst], captions, title, folder / "mistakes.png")


def share(value: float, interval: intervals.Interval) -> str:
    """Return a share and its interval for a reader, such as ``66.0% (64.5 to 67.6)``."""
    return f"{value:.1%} ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"


def points(value: float, interval: intervals.Interval) -> str:
    """Return a difference of shares and its interval in points, such as ``+2.9 (+1.7 to +4.2)``."""
    return f"{100 * value:+.1f} ({100 * interval[0]:+.1f} to {100 * interval[1]:+.1f})"


def measure(
    models: Sequence[Path],
    dataset: Dataset,
    split: str,
    mapping: Mapping[str, str],
    *,
    mirror: bool,
    robustness: bool,
    prior: str | None = None,
) -> Report:
    """Measure a model, or the mean of several.

    Args:
        models: ``.keras`` or ``.tflite`` files.
        dataset: whose classes `mapping` has joined.
        split: of it, by FER2013's name or another usual one.
        mapping: class -> the class it becomes.
        mirror: average with the mirror images too.
        robustness: measure under each condition too.
        prior: as of `evaluate_models`.
    """
    split = split_of(split, dataset.splits)
    dataset, notes = fit_to_model(dataset, split, models, mapping)
    evaluation = evaluate_models(models, dataset, split, mapping, prior)
    images = dataset.split(split)
    return Report(
        tuple(models),
        dataset,
        split,
        evaluation,
        (*(dataset.photos.notes() if dataset.photos else ()), *notes),
        tuple(leak_warnings(models)),
        measure_with_mirror(models, images, evaluation, mapping, prior).top1 if mirror else None,
        measure_robustness(models, images, evaluation, mapping, prior) if robustness else {},
    )
