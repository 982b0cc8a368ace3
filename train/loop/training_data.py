"""What each epoch trains on: the images with their labels, or an augmented copy with the teachers' predictions."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_edge.preprocess import normalise
from fer_edge.train.data.dataset import Split
from fer_edge.train.distill.teacher_predictions import Teacher, TeacherPredictions, mixture, soften
from fer_edge.train.loop.batches import EpochBatches
from fer_edge.train.recipe import Distillation, Recipe


@dataclasses.dataclass(frozen=True)
class PartOf:
    """Of which images the training images are a part.

    Attributes:
        whole: all of them, in order.
        rows: bool, (len(whole),), which of them are trained on.
    """

    whole: Split
    rows: NDArray[np.bool_]


class TrainingData:
    """Batches of every epoch of a run.

    Attributes:
        augmentation: what is left to be done in the training step; a copy that teachers have seen has its geometry
            and contrast already.
    """

    def __init__(
        self,
        training: Split,
        classes: int,
        recipe: Recipe,
        teachers: Sequence[Teacher],
        part_of: PartOf | None = None,
    ) -> None:
        """Prepare.

        Args:
            training: what is trained on.
            classes: how many there are.
            recipe: of the run.
            teachers: those that ``recipe.distillation`` names.
            part_of: of which images `training` is a part: teachers predict the whole, which another run has perhaps
                let them do already.
        """
        self._recipe = recipe
        self._images = training.images if recipe.distillation else normalise(training.images, recipe.contrast)
        one_hot = np.eye(classes, dtype=np.float32)[training.labels]
        self._labels = one_hot if training.votes is None else training.votes
        self._auxiliary = training.auxiliary
        self.augmentation = recipe.augmentation
        self._predictions: TeacherPredictions | None = None
        self._rows: NDArray[np.bool_] | None = None
        if recipe.distillation:
            mixed = recipe.distillation.mixed
            # Not so where images are mixed: one could have been mixed with one that is held out.
            seen = training
            if part_of and not mixed:
                seen, self._rows = part_of.whole, part_of.rows
            self._predictions = TeacherPredictions(seen, teachers, recipe.augmentation, recipe.seed, mixed)
            self.augmentation = dataclasses.replace(
                recipe.augmentation, rotation=0.0, scale=0.0, smaller=0.0, shift=0.0, contrast=0.0
            )

    def batches(self, epoch: int) -> EpochBatches:
        """Return the batches of an epoch, counted from 0."""
        targets = {"label": self._labels}
        if self._auxiliary is not None:
            targets["auxiliary"] = self._auxiliary
        if self._recipe.draw_labels:
            targets["label"] = drawn(self._labels, np.random.default_rng((self._recipe.seed, epoch, 1)))
        images = self._images
        if self._predictions and self._recipe.distillation:
            images, targets = _taught(self._predictions, self._recipe.distillation, epoch, self._rows, targets)
            images = normalise(images, self._recipe.contrast)  # a teacher has its own
        return EpochBatches(images, targets, self._recipe.batch_size, seed=self._recipe.seed, epoch=epoch)


def _taught(
    predictions: TeacherPredictions,
    distillation: Distillation,
    epoch: int,
    rows: NDArray[np.bool_] | None,
    targets: dict[str, NDArray[np.float32]],
) -> tuple[NDArray[np.uint8], dict[str, NDArray[np.float32]]]:
    """Return an epoch's augmented copy of the images, of `rows` or all, and `targets` with the teachers' added."""
    number = epoch % distillation.views
    images, probabilities = predictions.of_copy(number)
    if rows is not None:
        images, probabilities = images[rows], probabilities[rows]
    if distillation.mixed:
        partner, weight = predictions.mixing(number)
        targets = {name: mixture(of_image, partner, weight) for name, of_image in targets.items()}
    return images, {**targets, "teachers": soften(probabilities, distillation.temperature)}


def drawn(shares: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return one label an image, one-hot, drawn with the probabilities `shares`, N x classes, that sum to 1."""
    # The sums end at 1 up to rounding, and a class of share 0 has the sum of the one before it.
    sums = np.cumsum(shares, axis=1, dtype=np.float64)
    label = (sums <= rng.random((len(shares), 1)) * sums[:, -1:]).sum(axis=1)
    one_hot: NDArray[np.float32] = np.eye(shares.shape[1], dtype=np.float32)[label]
    return one_hot


def class_weights(labels: NDArray[np.int64], classes: int, exponent: float) -> NDArray[np.float32] | None:
    """Return each class's weight in the loss, a power of its inverse frequency, mean 1 over the images; None for 0."""
    if not exponent:
        return None
    counts = np.bincount(labels, minlength=classes)
    powers = np.where(counts > 0, np.maximum(counts, 1.0) ** -exponent, 0.0)
    weights: NDArray[np.float32] = (powers * len(labels) / (powers * counts).sum()).astype(np.float32)
    return weights
