"""Classification metrics as functions of arrays, with their JSON form."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

CALIBRATION_BINS = 15
"""As in Guo et al. 2017."""


def paired_difference(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> tuple[float, float]:
    """Return by how much the share of hits changes, and the standard error of that, for the same images in order.

    Paired, for both saw the same images, it is far smaller than the error of either share.
    """
    gained = after.astype(float) - before
    error = float(gained.std(ddof=1) / np.sqrt(len(gained))) if len(gained) > 1 else 0.0
    return float(gained.mean()), error


@dataclasses.dataclass(frozen=True)
class ClassMetrics:
    """One class: shares in 0..1, `support` is the number of its images, `recall_se` the binomial standard error."""

    label: str
    precision: float
    recall: float
    recall_se: float
    f1: float
    support: int


@dataclasses.dataclass(frozen=True)
class Metrics:
    """The evaluation of a model on one split. All rates are shares in 0..1.

    `confusion[i, j]` counts images of class i that were called j. `accuracy_se` is the binomial
    standard error of `top1`. Balanced accuracy is the mean recall of the classes that occur; macro F1
    the mean F1 of the same. `calibration_error` is `expected_calibration_error`, of the scores as probabilities.
    """

    images: int
    top1: float
    top2: float
    top3: float
    accuracy_se: float
    balanced_accuracy: float
    macro_f1: float
    calibration_error: float
    classes: tuple[ClassMetrics, ...]
    confusion: NDArray[np.int64]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        fields["classes"] = [dataclasses.asdict(c) for c in self.classes]
        fields["confusion"] = self.confusion.tolist()
        return fields


def top_k_accuracy(scores: NDArray[np.floating[Any]], labels: NDArray[np.int64], k: int) -> float:
    """Return the share of rows whose true class is among the `k` highest scores (ties: lower class first)."""
    if not len(labels):
        return 0.0
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float((best == labels[:, None]).any(axis=1).mean())


def expected_calibration_error(
    scores: NDArray[np.floating[Any]], labels: NDArray[np.int64], bins: int = CALIBRATION_BINS
) -> float:
    """Return how far confidence and accuracy lie apart, on average over the images.

    The images are put into `bins` equally wide bins of confidence, the score of the predicted class; the gaps
    between mean confidence and accuracy are weighted by the bins' sizes (Guo et al. 2017, arXiv:1706.04599, eq. 3).
    """
    if not len(labels):
        return 0.0
    confidence = scores.max(axis=1).astype(float)
    hit = scores.argmax(axis=1) == labels
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(bin_of, weights=confidence - hit, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def confusion_matrix(truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Return classes x classes counts; rows are the truth."""
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def evaluate_scores(scores: NDArray[np.floating[Any]], labels: NDArray[np.int64], names: tuple[str, ...]) -> Metrics:
    """Compute all metrics from class scores.

    Args:
        scores: N x classes, higher is more likely.
        labels: (N,) true class indices.
        names: class names.
    """
    confusion = confusion_matrix(labels, scores.argmax(axis=1).astype(np.int64), len(names))
    hits = np.diag(confusion).astype(float)
    support, called = confusion.sum(axis=1), confusion.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = np.nan_to_num(hits / support)
        precision = np.nan_to_num(hits / called)
        f1 = np.nan_to_num(2 * hits / (support + called))
        recall_se = np.nan_to_num(np.sqrt(recall * (1 - recall) / support))
    present = support > 0
    top1 = float(hits.sum() / max(len(labels), 1))
    return Metrics(
        images=len(labels),
        top1=top1,
        top2=top_k_accuracy(scores, labels, 2),
        top3=top_k_accuracy(scores, labels, 3),
        accuracy_se=float(np.sqrt(top1 * (1 - top1) / max(len(labels), 1))),
        balanced_accuracy=float(recall[present].mean()) if present.any() else 0.0,
        macro_f1=float(f1[present].mean()) if present.any() else 0.0,
        calibration_error=expected_calibration_error(scores, labels),
        classes=tuple(
            ClassMetrics(
                name, float(precision[i]), float(recall[i]), float(recall_se[i]), float(f1[i]), int(support[i])
            )
            for i, name in enumerate(names)
        ),
        confusion=confusion,
    )
