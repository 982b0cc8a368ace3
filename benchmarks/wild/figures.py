"""What is said of a model on a set of faces."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.labels import EXPRESSIONS
from fer_edge.metrics import expected_calibration_error

FEWEST = 10
"""Faces of a class from which on its recall counts; below, one face more or less is ten points."""

BINS = 10
"""Of the highest probability, for the reliability of a model (Guo et al. 2017, arXiv:1706.04599, section 2)."""

NEUTRAL = EXPRESSIONS.index("neutral")


def figures(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> dict[str, Any]:
    """Return the figures of a model on a set, shares in 0..1.

    Args:
        scores: probabilities, N x classes, over `EXPRESSIONS`.
        labels: (N,).

    Returns:
        JSON-ready. ``mean_recall`` is that of the classes with `FEWEST` faces or more; its standard error is binomial.
        ``called_neutral`` is the share of all faces, ``neutral_recall`` that of the neutral ones, None without any.
        ``reliability`` has for each of `BINS` of the highest probability that holds faces its mean there, the share
        that is right, and how many faces these are.
    """
    said = scores.argmax(axis=1)
    counts = np.bincount(labels, minlength=len(EXPRESSIONS))
    recalls = {
        name: float((said[labels == i] == i).mean()) for i, name in enumerate(EXPRESSIONS) if counts[i] >= FEWEST
    }
    errors = [r * (1 - r) / counts[EXPRESSIONS.index(name)] for name, r in recalls.items()]
    values = {
        "top1": float((said == labels).mean()),
        "mean_recall": float(np.mean(list(recalls.values()))),
        "mean_recall_se": float(np.sqrt(sum(errors)) / len(errors)),
        "calibration_error": expected_calibration_error(scores, labels),
        "called_neutral": float((said == NEUTRAL).mean()),
    }
    return {
        "images": len(labels),
        **{name: round(value, 4) for name, value in values.items()},
        "neutral_recall": round(recalls["neutral"], 4) if "neutral" in recalls else None,
        "recalls": {name: round(recall, 4) for name, recall in recalls.items()},
        "reliability": reliability(scores, labels),
    }


def reliability(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> list[tuple[float, float, int]]:
    """Return of each bin that is not empty the mean of the highest probabilities, the share right, and the faces."""
    sure, right = scores.max(axis=1), scores.argmax(axis=1) == labels
    bins = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    return [
        (round(float(sure[bins == i].mean()), 4), round(float(right[bins == i].mean()), 4), int((bins == i).sum()))
        for i in np.unique(bins)
    ]


def headline(sets: dict[str, dict[str, Any]]) -> float:
    """Return the mean of the sets' mean recalls."""
    return round(float(np.mean([found["mean_recall"] for found in sets.values()])), 4)


def over_expressions(scores: NDArray[np.float32], labels: tuple[str, ...]) -> NDArray[np.float32]:
    """Return the probabilities of the seven expressions, of N x classes of a model that may know others as well."""
    among = scores[:, [labels.index(name) for name in EXPRESSIONS]]
    scaled: NDArray[np.float32] = among / np.maximum(among.sum(axis=1, keepdims=True), np.float32(1e-6))
    return scaled
