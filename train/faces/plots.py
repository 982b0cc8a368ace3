"""What the face detector gets right and wrong, as pictures: precision over recall, misses, false faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.lazy import require
from fer_edge.train.evaluate.plots import plot_sheet
from fer_edge.train.faces.data.doubt import box_iou
from fer_edge.train.faces.data.images import TrainingImage
from fer_edge.train.faces.measure import ImageResult, Matches, average_precision, precision_recall

CURVES, MISSES, FALSE_FACES = "precision-recall.png", "misses.png", "false-faces.png"
"""Files in the folder of the plots."""
SHOWN = 48
VIEW_PIXELS = 72
VIEW_CONTEXT = 2.0
"""Side of a view as a multiple of the box's."""


def draw(
    folder: Path, images: Sequence[TrainingImage], results: Sequence[ImageResult], matches: Mapping[str, Matches]
) -> None:
    """Draw curves for every condition, and the worst misses and false faces of the upright images.

    Args:
        folder: one that exists.
        images: the upright images.
        results: what was found in each.
        matches: by condition.
    """
    plot_precision_recall(matches, folder / CURVES)
    for name, title, rows in (
        (MISSES, "faces with the lowest scores", worst_misses(results)),
        (FALSE_FACES, "false faces with the highest scores", worst_false(results)),
    ):
        views = [view(images[index].luma, box) for index, box, _ in rows[:SHOWN]]
        captions = [f"{score:.2f}" for _, _, score in rows[:SHOWN]]
        if views:
            plot_sheet(np.stack(views), captions, title, folder / name)


def plot_precision_recall(matches: Mapping[str, Matches], path: Path) -> None:
    """Draw precision over recall, one line per condition."""
    require("matplotlib", "train")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    for condition, found in matches.items():
        recall, precision = precision_recall(found)
        axes.plot(recall, precision, label=f"{condition}: AP {average_precision(found):.3f}")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title="Held-out images")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left")
    figure.savefig(path, dpi=120)


def worst_misses(results: Sequence[ImageResult], iou: float = 0.5) -> list[tuple[int, NDArray[np.float32], float]]:
    """Return image, box and best score of every face, lowest first; a face without any detection has score 0."""
    rows = []
    for index, result in enumerate(results):
        for face in result.faces:
            near = box_iou(face, result.found) >= iou if len(result.found) else np.zeros(0, bool)
            rows.append((index, face, float(result.scores[near].max()) if near.any() else 0.0))
    # Of faces that are missed alike, the largest first: there is least to excuse them.
    return sorted(rows, key=lambda row: (row[2], -float(row[1][2] * row[1][3])))


def worst_false(results: Sequence[ImageResult], iou: float = 0.2) -> list[tuple[int, NDArray[np.float32], float]]:
    """Return image, box and score of what meets no face, certain or doubtful, highest score first."""
    rows = []
    for index, result in enumerate(results):
        known = np.concatenate([result.faces, result.ignored])
        for box, score in zip(result.found, result.scores, strict=True):
            if not len(known) or box_iou(box, known).max() < iou:
                rows.append((index, box, float(score)))
    return sorted(rows, key=lambda row: -row[2])


def view(luma: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the surroundings of a box, grey outside of the image."""
    side = VIEW_CONTEXT * float(max(box[2:]))
    scale = VIEW_PIXELS / side
    left, top = (float(box[axis] + box[axis + 2] / 2) - side / 2 for axis in (0, 1))
    matrix = np.array([[scale, 0, -scale * left], [0, scale, -scale * top]])
    size = (VIEW_PIXELS, VIEW_PIXELS)
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.warpAffine(luma, matrix, size, flags=kind, borderValue=128), np.uint8)
