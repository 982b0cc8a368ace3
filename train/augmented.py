"""A classifier wrapped for training: augmentation in front, cross-entropy against mixed targets behind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.train.augment import Augmenter
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.recipe import Distillation

keras = load_keras()
ops = keras.ops


class AugmentedModel(keras.Model):  # type: ignore[misc, name-defined]
    """Trains `classifier` on ``{"image", "target"}`` batches.

    Augmentation changes images and targets together, so both are inputs, and the loss is computed from
    what comes out of it. This keeps the training step Keras's own, on every backend.

    Targets are B x classes, or with distillation B x 2 classes: behind the label's distribution stands the
    teachers', softened already.

    Attributes:
        radius: of sharpness-aware minimization, which a subclass does; 0 here.
    """

    radius = 0.0

    def __init__(
        self,
        classifier: Any,
        augmenter: Augmenter,
        label_smoothing: float,
        distillation: Distillation | None = None,
        class_weights: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__(dtype="float32")
        self.classifier, self.augmenter, self.label_smoothing = classifier, augmenter, label_smoothing
        self.distillation, self.class_weights = distillation, class_weights

    def call(self, inputs: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return class probabilities and the targets they are to be compared with."""
        images, targets = self.augmenter(inputs["image"], inputs["target"], training=training)
        return {"probabilities": self.classifier(images, training=training), "targets": targets}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the mean cross-entropy with label smoothing (Szegedy et al. 2016, section 7).

        With distillation it is mixed with the cross-entropy against the teachers, both softened by the
        temperature, times its square, which keeps the gradients' size (Hinton et al. 2015, section 2).
        """
        probabilities, targets = y_pred["probabilities"], y_pred["targets"]
        classes = probabilities.shape[-1]
        loss = keras.losses.categorical_crossentropy(
            targets[:, :classes], probabilities, label_smoothing=self.label_smoothing
        )
        if self.distillation:
            share, temperature = self.distillation.share, self.distillation.temperature
            softened = ops.log_softmax(ops.log(ops.maximum(probabilities, 1e-7)) / temperature)
            against_teachers = -ops.sum(targets[:, classes:] * softened, axis=-1)
            loss = (1 - share) * loss + share * temperature**2 * against_teachers
        if self.class_weights is not None:
            loss = loss * ops.sum(targets[:, :classes] * self.class_weights, axis=-1)
        return ops.mean(loss) + sum(self.losses)  # the latter: of kernels that the network regularizes
