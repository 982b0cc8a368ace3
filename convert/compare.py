"""A converted model against the float model it came from, on the same images."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.metrics import paired_difference
from fer_edge.train.evaluate.intervals import paired


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What conversion changed. All rates and probabilities are shares in 0..1.

    Attributes:
        split: which images; never ones that conversion used.
        images: how many.
        float_top1: accuracy of the trained ``.keras`` model.
        top1: accuracy of the converted file.
        difference: `top1` minus `float_top1`.
        difference_se: standard error of `difference`, paired: both models saw the same images, so it is far
            smaller than that of either accuracy.
        difference_interval: of `difference`, 95 %, paired as well; no point where the two never disagree.
        agreement: share of images that both put in the same class.
        largest_difference: of one class's probability, over all images.
        mean_difference: mean absolute difference of a class's probability.
    """

    split: str
    images: int
    float_top1: float
    top1: float
    difference: float
    difference_se: float
    difference_interval: tuple[float, float]
    agreement: float
    largest_difference: float
    mean_difference: float

    def stored(self) -> dict[str, Any]:
        """Return what the converted file says of it: its `ModelInfo.accuracy`."""
        rates = {name: round(getattr(self, name), 6) for name in ("top1", "float_top1", "agreement")}
        return {self.split: {**rates, "images": self.images}}


@dataclasses.dataclass(frozen=True)
class KernelComparison:
    """The same file, on the same images, run by two sets of kernels.

    XNNPACK rounds a sum of products once, the runtime's plain kernels twice, which gives some values one step more.
    None of that is wrong, but images on which two classes are nearly equal change their class.

    Attributes:
        agreement: share of images, in 0..1, that both put in the same class.
        largest_difference: of one class's probability, over all images.
        largest_margin: greatest lead of a class, in probability, that the other kernels overturn; 0 if there is none.
    """

    agreement: float
    largest_difference: float
    largest_margin: float


def compare_kernels(scores: NDArray[np.float32], plain: NDArray[np.float32]) -> KernelComparison:
    """Compare the class probabilities, N x classes, of a file under XNNPACK and under the plain kernels."""
    differs = scores.argmax(axis=1) != plain.argmax(axis=1)
    overturned = np.sort(np.concatenate([scores[differs], plain[differs]]), axis=1)
    margins = overturned[:, -1] - overturned[:, -2]
    return KernelComparison(
        agreement=float(1 - differs.mean()),
        largest_difference=float(np.abs(scores - plain).max()),
        largest_margin=float(margins.max(initial=0.0)),
    )


def compare_scores(
    split: str, float_scores: NDArray[np.float32], scores: NDArray[np.float32], labels: NDArray[np.int64]
) -> Comparison:
    """Compare the class probabilities of two models, N x classes, on images with the true classes `labels`."""
    float_class, found_class = float_scores.argmax(axis=1), scores.argmax(axis=1)
    float_hits, hits = float_class == labels, found_class == labels
    difference, error = paired_difference(float_hits, hits)
    distance = np.abs(scores - float_scores)
    return Comparison(
        split=split,
        images=len(labels),
        float_top1=float(float_hits.mean()),
        top1=float(hits.mean()),
        difference=difference,
        difference_se=error,
        difference_interval=paired(float_hits, hits),
        agreement=float((float_class == found_class).mean()),
        largest_difference=float(distance.max()),
        mean_difference=float(distance.mean()),
    )
