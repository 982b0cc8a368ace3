"""One training run: from a data set to ``RUN/model.keras``, resumable after every epoch."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.model_file import ModelInfo, write_atomically
from fer_edge.preprocess import normalise
from fer_edge.train.augment.augmenter import Augmenter
from fer_edge.train.data.balance import resample
from fer_edge.train.data.dataset import TRAINING, Dataset, Split
from fer_edge.train.data.duplicates import blank, conflicting, hold_out, training_without_leaks
from fer_edge.train.distill.teacher_predictions import Teacher, describe_teacher
from fer_edge.train.keras_model import KerasModel
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop.checkpoint import load_checkpoint, save_checkpoint
from fer_edge.train.loop.device_resident import ResidentEpochs, can_stay_resident
from fer_edge.train.loop.devices import use_all_devices
from fer_edge.train.loop.display import TrainingDisplay
from fer_edge.train.loop.ema import averaged_weights
from fer_edge.train.loop.mirror_equivariance import tie
from fer_edge.train.loop.optimizer import make_optimizer, plateau_rate
from fer_edge.train.loop.precision import computing_in, fuse_batch_norm
from fer_edge.train.loop.run_metadata import make_run_card
from fer_edge.train.loop.sam import SharpnessAwareModel, require_tensorflow
from fer_edge.train.loop.saving import CARD, calibrate_file, calibrate_file_like, save_model
from fer_edge.train.loop.training_data import TrainingMaterial
from fer_edge.train.loop.training_model import AugmentedModel
from fer_edge.train.loop.warm_start import begin_with
from fer_edge.train.recipe import Recipe
from fer_edge.train.zoo.registry import find_architecture

MODEL, CHECKPOINT, HISTORY = "model.keras", "checkpoint.npz", "history.csv"
CLEAN_SAMPLE = 4096  # training images, not augmented: for batch norm, and to see over- and underfitting


@dataclasses.dataclass(frozen=True)
class Epoch:
    """A row of ``history.csv``; accuracies are shares, of the averaged weights, on images without augmentation."""

    epoch: int
    loss: float
    train_accuracy: float
    holdout_accuracy: float | None
    holdout_loss: float | None
    learning_rate: float
    seconds: float


def train_model(
    dataset: Dataset,
    name: str,
    recipe: Recipe,
    out: Path,
    *,
    resume: bool = False,
    teachers: Sequence[Teacher] = (),
    held_out: Split | None = None,
    start: Path | None = None,
    calibrated_like: Mapping[str, Any] | None = None,
    watch: Callable[[Epoch], None] | None = None,
) -> list[Epoch]:
    """Train a model of the zoo, or the one that the YAML file `name` describes, and leave the run in the folder `out`.

    Writes ``model.keras`` (the kept epoch's averaged weights), ``checkpoint.npz``, ``history.csv`` and
    ``run.json``. With `resume`, continues the killed run in `out` on its own schedule and ends with the
    weights that an uninterrupted run would have had. `teachers` are those that ``recipe.distillation`` names.
    `held_out` decides inside the run in place of the share of Training that the recipe would hold out, and Training
    stays whole. `start` is the file with the weights to begin with, whose hash is ``recipe.start``. `calibrated_like`
    is the card of a run whose temperature is taken where nothing is held out. `watch` is told of every epoch done.

    Returns:
        One entry an epoch, those before a resume included.

    Raises:
        DataError: no Training split; nothing to resume; `out` belongs to another run.
        ModelFileError: `start` holds another network, or is to become a symmetric one and is none.
    """
    keras = load_keras()
    architecture = find_architecture(name)
    original = dataset.split(TRAINING)
    usable = training_without_leaks(dataset) if recipe.drop_leaks else original
    if recipe.clean:
        usable = usable.take(~(blank(usable) | conflicting(usable)))
    training, holdout = usable, held_out
    part_of = None
    if recipe.holdout and not held_out:
        training, holdout = hold_out(usable, recipe.holdout)
        part_of = usable, ~np.isin(usable.hashes(), holdout.hashes())
    if not holdout and (recipe.patience or recipe.schedule == "plateau"):
        raise DataError(
            f"{dataset.name}: expected images to hold out, which --patience and --schedule plateau follow, found none; "
            "raise --holdout"
        )
    if recipe.resample:  # after the division, so that nothing made from a held-out image is trained on
        training, part_of = resample(training, recipe.resample, recipe.seed, dataset.labels), None
    _check_size(dataset, training, architecture.input_size)

    use_all_devices(recipe.batch_size)
    keras.utils.set_random_seed(recipe.seed)
    shape = architecture.input_size, len(dataset.labels), recipe.dropout
    with computing_in(recipe.precision):
        classifier = architecture.build(*shape)
    if start:
        shown = normalise(training.images, recipe.contrast)
        begin_with(classifier, start, dataset.labels, shown, symmetric=recipe.symmetric)
    if recipe.symmetric:
        tie(classifier)
    fuse_batch_norm(classifier)
    # What is measured and saved computes in float32, whatever trained it.
    kept = architecture.build(*shape)
    images = {
        "trained": len(training),
        "held_out": len(holdout) if holdout else 0,
        "dropped": len(original) - len(usable),
    }
    card = make_run_card(
        architecture.name, classifier.count_params(), dataset, recipe, images, architecture.description
    )
    if teachers:
        card["teachers"] = [describe_teacher(teacher) for teacher in teachers]
    # Refuses before anything is written.
    material = TrainingMaterial(training, len(dataset.labels), recipe, teachers, part_of)
    _prepare_folder(out, card, resume)

    augmenter = Augmenter(material.augmentation, recipe.seed)
    weights = class_weights(training.labels, len(dataset.labels), recipe.class_weighting)
    if recipe.sam:
        require_tensorflow()
    kind = SharpnessAwareModel if recipe.sam else AugmentedModel
    auxiliary = (0 if training.auxiliary is None else training.auxiliary.shape[1], recipe.auxiliary_share)
    model = kind(classifier, augmenter, recipe.label_smoothing, recipe.distillation, weights, auxiliary)
    model.radius = recipe.sam
    first = material.batches(0)
    # XLA has no kernel for the affine resampling on TensorFlow, and is slower than oneDNN's convolutions on a CPU.
    model.compile(optimizer=make_optimizer(recipe, len(first)), jit_compile=keras.backend.backend() == "jax")
    _create_variables(model, first[0][0])
    history: list[Epoch] = []
    if resume:
        history = [Epoch(**row) for row in load_checkpoint(out / CHECKPOINT, model)["history"]]
    info = ModelInfo(
        architecture.name, dataset.labels, architecture.input_size, contrast=recipe.contrast, training=_provenance(card)
    )

    clean = training.take(np.linspace(0, len(training) - 1, min(len(training), CLEAN_SAMPLE)).astype(np.int64))
    resident = ResidentEpochs(model) if can_stay_resident() else None
    with TrainingDisplay(name, recipe.epochs, len(first)) as display:
        for number in range(len(history), recipe.epochs):
            if _stops_early(history, recipe.patience):
                break
            started = time.perf_counter()
            if recipe.schedule == "plateau":
                model.optimizer.learning_rate = plateau_rate(recipe, [e.holdout_accuracy or 0.0 for e in history])
            batches = material.batches(number)
            if resident:
                loss = resident.fit(batches)
            else:
                fitted = model.fit(batches, verbose=0, shuffle=False, callbacks=[display.steps()])
                loss = float(fitted.history["loss"][0])
            if not math.isfinite(loss):
                raise DataError(
                    f"epoch {number + 1}: expected a finite loss, found {loss}: the training diverged; "
                    "begin again with a lower --learning-rate, or with smaller values where you gave large ones"
                )
            batches.release()  # each epoch of a student has a view of its own
            with averaged_weights(model, normalise(clean.images, recipe.contrast)):
                kept.set_weights(classifier.get_weights())
                held_accuracy, held_loss = _measure(kept, info, holdout) if holdout else (None, None)
                epoch = Epoch(
                    epoch=number + 1,
                    loss=loss,
                    train_accuracy=_measure(kept, info, clean)[0],
                    holdout_accuracy=held_accuracy,
                    holdout_loss=held_loss,
                    learning_rate=float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)),
                    seconds=round(time.perf_counter() - started, 2),
                )
                history.append(epoch)
                if holdout is None or best_epoch(history) is epoch:
                    save_model(kept, out / MODEL, info)
            write_atomically(out / HISTORY, _history_csv(history))
            save_checkpoint(out / CHECKPOINT, model, {"history": [dataclasses.asdict(e) for e in history]})
            display.epoch(dataclasses.asdict(epoch))
            if watch:
                watch(epoch)
    card["finished"] = {"epochs": len(history), "kept_epoch": best_epoch(history).epoch if history else 0}
    if holdout:
        card["calibration"] = calibrate_file(out / MODEL, holdout, recipe.augmentation, recipe.seed)
    elif calibrated_like:
        card["calibration"] = calibrate_file_like(out / MODEL, calibrated_like)
    write_atomically(out / CARD, json.dumps(card, indent=1).encode())
    return history


def best_epoch(history: Sequence[Epoch]) -> Epoch:
    """Return the epoch whose weights are kept: the best on the holdout (the later of equals), else the last."""
    return max(history, key=lambda e: (e.holdout_accuracy if e.holdout_accuracy is not None else 0.0, e.epoch))


def _stops_early(history: list[Epoch], patience: int) -> bool:
    if not patience or not history:
        return False
    first_best = max(history, key=lambda e: (e.holdout_accuracy or 0.0, -e.epoch))  # as good again is no better
    return history[-1].epoch - first_best.epoch >= patience


def _measure(classifier: Any, info: ModelInfo, split: Split) -> tuple[float, float]:
    scores = KerasModel(classifier, info).predict(split.images)
    likelihood = scores[np.arange(len(split)), split.labels]
    return float((scores.argmax(axis=1) == split.labels).mean()), float(-np.log(np.maximum(likelihood, 1e-7)).mean())


def class_weights(labels: NDArray[np.int64], classes: int, exponent: float) -> NDArray[np.float32] | None:
    """Return each class's weight in the loss, a power of its inverse frequency, mean 1 over the images; None for 0."""
    if not exponent:
        return None
    counts = np.bincount(labels, minlength=classes)
    powers = np.where(counts > 0, np.maximum(counts, 1.0) ** -exponent, 0.0)
    weights: NDArray[np.float32] = (powers * len(labels) / (powers * counts).sum()).astype(np.float32)
    return weights


def _create_variables(model: Any, batch: dict[str, Any]) -> None:
    model(batch, training=False)
    model.optimizer.build(model.trainable_variables)


def _provenance(card: dict[str, Any]) -> dict[str, Any]:
    return {key: card[key] for key in ("run", "parameters", "data", "recipe", "started")} | {
        "versions": card["machine"]["versions"]
    }


def _history_csv(history: list[Epoch]) -> bytes:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [field.name for field in dataclasses.fields(Epoch)])
    writer.writeheader()
    writer.writerows(dataclasses.asdict(epoch) for epoch in history)
    return stream.getvalue().encode()


def _prepare_folder(out: Path, card: dict[str, Any], resume: bool) -> None:
    known = out / CARD
    if resume:
        if not (out / CHECKPOINT).exists():
            raise DataError(f"{out}: expected the checkpoint of a run to resume, found none; start without --resume")
        try:
            before = json.loads(known.read_text())
            run, started = before["run"], before["started"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{known}: expected the card of the run to resume, but it cannot be read") from error
        if run != card["run"]:
            raise DataError(
                f"{out}: holds run {run}, these arguments and data make run {card['run']}; "
                "resume with the arguments in its run.json, or choose another --out"
            )
        card["started"] = started
    elif (out / CHECKPOINT).exists():
        raise DataError(f"{out}: holds a run already; continue it with --resume or choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(known, json.dumps(card, indent=1).encode())


def _check_size(dataset: Dataset, training: Split, size: int) -> None:
    if not len(training):
        raise DataError(f"{dataset.name}: expected images to train on, found none after dropping those in test splits")
    if training.images.shape[1:] != (size, size):
        found = "x".join(map(str, training.images.shape[1:]))
        raise DataError(f"{dataset.name}: expected images of {size}x{size}, found {found}")
