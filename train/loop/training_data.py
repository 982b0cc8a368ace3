"""What each epoch trains on: the images with their labels, or a view of them with what the teachers say."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_edge.preprocess import normalise
from fer_edge.train.data.dataset import Split
from fer_edge.train.distill.teacher_predictions import Teacher, TeacherViews, mixture, soften
from fer_edge.train.loop.batches import EpochBatches
from fer_edge.train.recipe import Recipe


class TrainingMaterial:
    """Batches of every epoch of a run.

    Attributes:
        augmentation: what is left to be done in the training step; a view has its geometry and light already.
    """

    def __init__(
        self,
        training: Split,
        classes: int,
        recipe: Recipe,
        teachers: Sequence[Teacher],
        part_of: tuple[Split, NDArray[np.bool_]] | None = None,
    ) -> None:
        """Prepare.

        Args:
            training: what is trained on.
            classes: how many there are.
            recipe: of the run.
            teachers: whom ``recipe.distillation`` names.
            part_of: a split and which of its images `training` is: views are those of the whole, which another run
                has perhaps made already.
        """
        self._recipe = recipe
        self._images = training.images if recipe.distillation else normalise(training.images, recipe.contrast)
        hard = np.eye(classes, dtype=np.float32)[training.labels]
        self._targets = hard if training.votes is None else training.votes
        self._auxiliary = training.auxiliary
        self.augmentation = recipe.augmentation
        self._views: TeacherViews | None = None
        self._rows: NDArray[np.bool_] | None = None
        if recipe.distillation:
            mixed = recipe.distillation.mixed
            # Not so where images are mixed: one could have been mixed with one that is held out.
            seen = training
            if part_of and not mixed:
                seen, self._rows = part_of
            self._views = TeacherViews(seen, teachers, recipe.augmentation, recipe.seed, mixed)
            self.augmentation = dataclasses.replace(
                recipe.augmentation, rotation=0.0, scale=0.0, smaller=0.0, shift=0.0, contrast=0.0
            )

    def batches(self, epoch: int) -> EpochBatches:
        """Return the batches of an epoch, counted from 0."""
        images, targets, auxiliary = self._images, self._targets, self._auxiliary
        if self._recipe.draw_labels:
            targets = drawn(targets, np.random.default_rng((self._recipe.seed, epoch, 1)))
        if self._views and self._recipe.distillation:
            number = epoch % self._recipe.distillation.views
            images, said = self._views.view(number)
            if self._rows is not None:
                images, said = images[self._rows], said[self._rows]
            if self._recipe.distillation.mixed:
                partner, weight = self._views.mixing(number)
                targets = mixture(targets, partner, weight)
                auxiliary = None if auxiliary is None else mixture(auxiliary, partner, weight)
            images = normalise(images, self._recipe.contrast)  # a teacher has its own
            targets = np.concatenate([targets, soften(said, self._recipe.distillation.temperature)], axis=1)
        if auxiliary is not None:
            targets = np.concatenate([targets, auxiliary], axis=1)
        return EpochBatches(images, targets, self._recipe.batch_size, seed=self._recipe.seed, epoch=epoch)


def drawn(shares: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return one label an image, one-hot, drawn with the probabilities `shares`, N x classes, that sum to 1."""
    # The sums end at 1 up to rounding, and a class of share 0 has the sum of the one before it.
    sums = np.cumsum(shares, axis=1, dtype=np.float64)
    label = (sums <= rng.random((len(shares), 1)) * sums[:, -1:]).sum(axis=1)
    hard: NDArray[np.float32] = np.eye(shares.shape[1], dtype=np.float32)[label]
    return hard
