"""What each epoch trains on: the images with their labels, or a view of them with what the teachers say."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from fer_edge.preprocess import normalise
from fer_edge.train.batches import EpochBatches
from fer_edge.train.data.dataset import Split
from fer_edge.train.distillation import TeacherViews, soften
from fer_edge.train.keras_setup import KerasModel
from fer_edge.train.recipe import Recipe


class TrainingMaterial:
    """Batches of every epoch of a run.

    Attributes:
        augmentation: what is left to be done in the training step; a view has its geometry and light already.
    """

    def __init__(self, training: Split, classes: int, recipe: Recipe, teachers: Sequence[KerasModel]) -> None:
        self._recipe = recipe
        self._images = training.images if recipe.distillation else normalise(training.images, recipe.contrast)
        hard = np.eye(classes, dtype=np.float32)[training.labels]
        self._targets = hard if training.votes is None else training.votes
        self.augmentation = recipe.augmentation
        self._views: TeacherViews | None = None
        if recipe.distillation:
            self._views = TeacherViews(training, teachers, recipe.augmentation, recipe.seed)
            self.augmentation = dataclasses.replace(
                recipe.augmentation, rotation=0.0, scale=0.0, shift=0.0, contrast=0.0
            )

    def batches(self, epoch: int) -> EpochBatches:
        """Return the batches of an epoch, counted from 0."""
        images, targets = self._images, self._targets
        if self._views and self._recipe.distillation:
            images, said = self._views.view(epoch % self._recipe.distillation.views)
            images = normalise(images, self._recipe.contrast)  # a teacher has its own
            targets = np.concatenate([targets, soften(said, self._recipe.distillation.temperature)], axis=1)
        return EpochBatches(images, targets, self._recipe.batch_size, seed=self._recipe.seed, epoch=epoch)
