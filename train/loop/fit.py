"""The epochs of a run: each is trained, measured on the averaged weights, and kept on disk before the next begins."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fer_edge.errors import DataError
from fer_edge.files import write_atomically
from fer_edge.preprocess import normalise
from fer_edge.train.data.dataset import Split
from fer_edge.train.keras_model import KerasModel
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop.accelerators import ResidentEpochs, can_stay_resident
from fer_edge.train.loop.batches import EpochBatches
from fer_edge.train.loop.display import TrainingDisplay
from fer_edge.train.loop.ema import averaged_weights
from fer_edge.train.loop.history import Epoch, best_epoch, history_csv, stops_early
from fer_edge.train.loop.optimizer import plateau_rate
from fer_edge.train.loop.prepare import PreparedRun
from fer_edge.train.loop.run_folder import CHECKPOINT, HISTORY, MODEL, save_checkpoint, save_model

keras = load_keras()


def fit(run: PreparedRun, watch: Callable[[Epoch], None] | None = None) -> list[Epoch]:
    """Train the epochs of a run that are still to be done, and leave its model, checkpoint and history in its folder.

    Args:
        run: prepared.
        watch: told of every epoch once it is on disk.

    Returns:
        All epochs, those before a resume included.

    Raises:
        DataError: the training diverged.
    """
    history = list(run.history)
    with TrainingDisplay(run.name, run.recipe.epochs, run.steps_per_epoch) as display:
        train = _trainer(run.model, display)
        for number in range(len(history), run.recipe.epochs):
            if stops_early(history, run.recipe.patience):
                break
            started = time.perf_counter()
            loss = _train_epoch(run, number, history, train)
            epoch = _measure_epoch(run, number, history, loss, started)
            history.append(epoch)
            write_atomically(run.out / HISTORY, history_csv(history))
            state = {"history": [dataclasses.asdict(e) for e in history]}
            save_checkpoint(run.out / CHECKPOINT, run.model, state)
            display.epoch(dataclasses.asdict(epoch))
            if watch:
                watch(epoch)
    return history


def _trainer(model: Any, display: TrainingDisplay) -> Callable[[EpochBatches], float]:
    """Return what trains one epoch and returns its mean loss."""
    if can_stay_resident():
        return ResidentEpochs(model).fit

    def by_batches(batches: EpochBatches) -> float:
        fitted = model.fit(batches, verbose=0, shuffle=False, callbacks=[display.steps()])
        return float(fitted.history["loss"][0])

    return by_batches


def _train_epoch(
    run: PreparedRun, number: int, history: Sequence[Epoch], train: Callable[[EpochBatches], float]
) -> float:
    """Train one epoch, counted from 0, and return its mean loss."""
    if run.recipe.schedule == "plateau":
        run.model.optimizer.learning_rate = plateau_rate(run.recipe, [e.holdout_accuracy or 0.0 for e in history])
    batches = run.data.batches(number)
    loss = train(batches)
    if not math.isfinite(loss):
        raise DataError(
            f"epoch {number + 1}: expected a finite loss, found {loss}: the training diverged; "
            "begin again with a lower --learning-rate, or with smaller values where you gave large ones"
        )
    batches.release()  # each epoch of a student has a copy of its own
    return loss


def _measure_epoch(run: PreparedRun, number: int, history: Sequence[Epoch], loss: float, started: float) -> Epoch:
    """Measure the averaged weights after an epoch, and save them where they are the best so far."""
    with averaged_weights(run.model, normalise(run.clean.images, run.recipe.contrast)):
        run.measured.set_weights(run.model.classifier.get_weights())
        model = KerasModel(run.measured, run.info)
        held_accuracy, held_loss = _accuracy_and_loss(model, run.holdout) if run.holdout else (None, None)
        epoch = Epoch(
            epoch=number + 1,
            loss=loss,
            train_accuracy=_accuracy_and_loss(model, run.clean)[0],
            holdout_accuracy=held_accuracy,
            holdout_loss=held_loss,
            learning_rate=float(keras.ops.convert_to_numpy(run.model.optimizer.learning_rate)),
            seconds=round(time.perf_counter() - started, 2),
        )
        if run.holdout is None or best_epoch([*history, epoch]) is epoch:
            save_model(run.measured, run.out / MODEL, run.info)
    return epoch


def _accuracy_and_loss(model: KerasModel, split: Split) -> tuple[float, float]:
    """Return the share that a model is right about, and its mean cross-entropy."""
    scores = model.predict(split.images)
    likelihood = scores[np.arange(len(split)), split.labels]
    return float((scores.argmax(axis=1) == split.labels).mean()), float(-np.log(np.maximum(likelihood, 1e-7)).mean())
