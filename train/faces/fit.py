"""A training loop that can be continued: warm-up and cosine schedule, averaged weights, checkpoints."""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.model_file import ZIP_DAMAGE

LOG = logging.getLogger(__name__)

Batch = tuple[NDArray[np.uint8], NDArray[np.float32]]
AVERAGE = 0.999
"""Share of the averaged weights that a step keeps."""
CHECKPOINT_STEPS = 500


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Length and learning rate of a training.

    Attributes:
        steps: all of them.
        learning_rate: after the warm-up; a cosine brings it to 0.
        warm_up: steps.
        weight_decay: of AdamW.
    """

    steps: int
    learning_rate: float = 3e-3
    warm_up: int = 300
    weight_decay: float = 0.01

    def rate(self, step: int) -> float:
        """Return the learning rate of a step."""
        return (
            self.learning_rate * min(1, (step + 1) / self.warm_up) * 0.5 * (1 + math.cos(math.pi * step / self.steps))
        )


class Fit:
    """A network in training: its weights, their average, the optimizer and the step."""

    def __init__(self, model: Any, loss: Callable[[Any, Any], Any], schedule: Schedule, checkpoint: Path) -> None:
        """Continue from the checkpoint where it exists.

        Args:
            model: the untrained Keras model.
            loss: of targets and output.
            schedule: see `Schedule`.
            checkpoint: an ``.npz`` file, rewritten as the training goes on.
        """
        import keras
        import tensorflow as tf

        self.model, self.step = model, 0
        self._schedule, self._checkpoint = schedule, checkpoint
        self._optimizer = keras.optimizers.AdamW(0.0, weight_decay=schedule.weight_decay, clipnorm=10.0)
        self._optimizer.build(model.trainable_variables)
        self._averages = [tf.Variable(w, trainable=False) for w in model.weights]
        self._update = tf.function(self._one_step(loss))
        if checkpoint.exists():
            self._load()

    def _one_step(self, loss: Callable[[Any, Any], Any]) -> Callable[..., Any]:
        import tensorflow as tf

        def update(images: Any, targets: Any, rate: Any, keep: Any) -> Any:
            self._optimizer.learning_rate.assign(rate)
            with tf.GradientTape() as tape:
                value = loss(targets, self.model(tf.cast(images, tf.float32), training=True))
            variables = self.model.trainable_variables
            self._optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))
            for average, weight in zip(self._averages, self.model.weights, strict=True):
                average.assign(keep * average + (1 - keep) * tf.convert_to_tensor(weight))
            return value

        return update

    def run(self, batches: Iterator[Batch], until: int) -> None:
        """Train up to a step of the schedule; write a checkpoint now and then and at the end."""
        import tensorflow as tf

        losses: list[float] = []
        begun, first = time.monotonic(), self.step
        while self.step < until:
            images, targets = next(batches)
            keep = min(AVERAGE, (1 + self.step) / (10 + self.step))
            rate = self._schedule.rate(self.step)
            value = self._update(tf.constant(images), tf.constant(targets), tf.constant(rate), tf.constant(keep))
            losses.append(float(value))
            self.step += 1
            if self.step % CHECKPOINT_STEPS == 0 or self.step == until:
                pace = (time.monotonic() - begun) / (self.step - first)
                LOG.info(
                    "step %d of %d: loss %.4f, %.3f s a step", self.step, self._schedule.steps, np.mean(losses), pace
                )
                losses.clear()
                self._save()

    def averaged(self) -> Any:
        """Return a copy of the model with the averaged weights."""
        import keras

        model = keras.models.clone_model(self.model)
        model.set_weights([average.numpy() for average in self._averages])
        return model

    def _state(self) -> list[Any]:
        return [*self.model.weights, *self._averages, *self._optimizer.variables]

    def _save(self) -> None:
        arrays = {f"v{index}": np.asarray(variable.numpy()) for index, variable in enumerate(self._state())}
        partial = self._checkpoint.with_suffix(".partial.npz")
        np.savez(partial, allow_pickle=False, step=np.array(self.step), **arrays)
        partial.replace(self._checkpoint)

    def _load(self) -> None:
        state = self._state()
        try:
            with self._checkpoint.open("rb") as stream, np.load(stream) as arrays:
                self.step = int(arrays["step"])
                values = [arrays[f"v{index}"] for index in range(len(state))]
            if not all(isinstance(value, np.ndarray) for value in values):
                raise ValueError("it holds what is no array")  # numpy gives the bytes of such a member
            if [value.shape for value in values] != [tuple(variable.shape) for variable in state]:
                raise ValueError("it is of another network")
        except (*ZIP_DAMAGE, OSError, KeyError, TypeError, MemoryError) as error:
            raise DataError(
                f"{self._checkpoint}: expected a checkpoint of this run, but it cannot be read ({error})"
            ) from error
        for variable, value in zip(state, values, strict=True):
            variable.assign(value)
        LOG.info("continuing %s at step %d", self._checkpoint, self.step)
