"""Sharpness-aware minimization: the gradient is taken where the loss is highest nearby.

P. Foret, A. Kleiner, H. Mobahi and B. Neyshabur, "Sharpness-aware minimization for efficiently improving
generalization", ICLR 2021 (arXiv:2010.01412), algorithm 1. A step costs two.
"""

from __future__ import annotations

from typing import Any

from fer_edge.errors import DataError
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop.training_model import AugmentedModel

keras = load_keras()


class SharpnessAwareModel(AugmentedModel):
    """An `AugmentedModel` whose weights step out by `radius`, up the gradient, before each gradient that counts."""

    def train_step(self, data: Any) -> dict[str, Any]:
        """Take one step; Keras calls it inside its compiled training function."""
        import tensorflow as tf

        inputs, _ = data
        images, targets = self.augmenter(inputs["image"], inputs["targets"], training=True)

        def gradients() -> tuple[Any, Any]:
            with tf.GradientTape() as tape:
                result = {**self.classify(images, training=True), "targets": targets}
                loss = self.compute_loss(y_pred=result)
            return loss, tape.gradient(loss, variables)

        variables = [v.value for v in self.trainable_variables]
        loss, uphill = gradients()
        # On the ties of a mirror-equivariant network (`mirror_equivariance`), as the optimizer projects what counts.
        tied = zip(uphill, self.trainable_variables, strict=True)
        uphill = [gradient if v.constraint is None else v.constraint(gradient) for gradient, v in tied]
        scale = self.radius / (tf.linalg.global_norm(uphill) + 1e-12)
        steps = [gradient * scale for gradient in uphill]
        for variable, step in zip(variables, steps, strict=True):
            variable.assign_add(step)
        _, sharp = gradients()
        for variable, step in zip(variables, steps, strict=True):
            variable.assign_sub(step)
        self.optimizer.apply_gradients(zip(sharp, self.trainable_variables, strict=True))
        self._loss_tracker.update_state(loss)
        return {metric.name: metric.result() for metric in self.metrics}


def require_tensorflow() -> None:
    """Raise DataError where Keras runs on another backend."""
    if keras.backend.backend() != "tensorflow":
        raise DataError(
            f"--sam: expected Keras on TensorFlow, found {keras.backend.backend()}; set KERAS_BACKEND=tensorflow or "
            "leave --sam out"
        )
