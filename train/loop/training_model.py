"""A classifier wrapped for training: augmentation before it, cross-entropy against mixed targets after it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.train.augment.augmenter import Augmenter
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.recipe import Distillation

keras = load_keras()
ops = keras.ops


class AugmentedModel(keras.Model):  # type: ignore[misc, name-defined]
    """Trains `classifier` on the batches of `fer_edge.train.loop.batches.EpochBatches`.

    Augmentation changes images and targets together, so both are inputs, and the loss is computed from
    what comes out of it. This keeps the training step Keras's own, on every backend.

    A second softmax, on the features before ``logits``, learns the ``auxiliary`` targets where there are some
    (Caruana 1997, Machine Learning 28, section 2); it is not part of `classifier`, and so of no saved model.

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
        auxiliary: tuple[int, float] = (0, 0.0),
    ) -> None:
        """Wrap.

        Args:
            classifier: keras.Model from images to probabilities.
            augmenter: what is done to images and targets first.
            label_smoothing: of the label's distribution.
            distillation: how much of the loss is the teachers'.
            class_weights: (classes,), of the loss of each image.
            auxiliary: number of auxiliary classes, and the weight of their loss.
        """
        super().__init__(dtype="float32")
        self.classifier, self.augmenter, self.label_smoothing = classifier, augmenter, label_smoothing
        self.distillation, self.class_weights = distillation, class_weights
        count, self.auxiliary_share = auxiliary
        self.head: Any = None
        if count:
            features = classifier.get_layer("logits").input
            self.with_features = keras.Model(classifier.inputs, [classifier.output, features])
            self.head = keras.layers.Dense(count, activation="softmax", dtype="float32", name="auxiliary")
            self.head.build(features.shape)

    def call(self, inputs: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return class probabilities and the targets they are to be compared with."""
        images, targets = self.augmenter(inputs["image"], inputs["targets"], training=training)
        return {**self.classify(images, training), "targets": targets}

    def classify(self, images: Any, training: bool) -> dict[str, Any]:
        """Return the probabilities of augmented images, and the auxiliary ones where there are any."""
        if self.head is None:
            return {"probabilities": self.classifier(images, training=training)}
        probabilities, features = self.with_features(images, training=training)
        return {"probabilities": probabilities, "auxiliary": self.head(features)}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the mean cross-entropy with label smoothing (Szegedy et al. 2016, section 7) of what `call` gave.

        With distillation it is mixed with the cross-entropy against the teachers, both softened by the
        temperature, times its square, which keeps the gradients' size (Hinton et al. 2015, section 2).
        """
        probabilities, targets = y_pred["probabilities"], y_pred["targets"]
        label = targets["label"]
        loss = keras.losses.categorical_crossentropy(label, probabilities, label_smoothing=self.label_smoothing)
        if self.distillation:
            share, temperature = self.distillation.share, self.distillation.temperature
            softened = ops.log_softmax(ops.log(ops.maximum(probabilities, 1e-7)) / temperature)
            against_teachers = -ops.sum(targets["teachers"] * softened, axis=-1)
            loss = (1 - share) * loss + share * temperature**2 * against_teachers
        if self.class_weights is not None:
            loss = loss * ops.sum(label * self.class_weights, axis=-1)
        if self.head is not None:
            beside = keras.losses.categorical_crossentropy(targets["auxiliary"], y_pred["auxiliary"])
            loss = loss + self.auxiliary_share * beside
        return ops.mean(loss) + sum(self.losses)  # the latter: of kernels that the network regularizes
