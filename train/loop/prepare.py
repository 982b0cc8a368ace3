"""The beginning of a run: its images divided, its network built, its folder claimed, an interrupted run restored."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from fer_edge.errors import DataError
from fer_edge.model_file import ModelInfo
from fer_edge.preprocess import normalise
from fer_edge.train.augment.augmenter import Augmenter
from fer_edge.train.data.balance import resample
from fer_edge.train.data.dataset import TRAINING, Dataset, Split
from fer_edge.train.data.duplicates import blank, conflicting, hold_out, training_without_leaks
from fer_edge.train.data.form import Form
from fer_edge.train.distill.teacher_predictions import Teacher, describe_teacher
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop.accelerators import use_all_devices
from fer_edge.train.loop.history import Epoch
from fer_edge.train.loop.mirror_equivariance import tie
from fer_edge.train.loop.optimizer import make_optimizer
from fer_edge.train.loop.precision import computing_in, fuse_batch_norm
from fer_edge.train.loop.run_folder import CHECKPOINT, claim_folder, load_checkpoint
from fer_edge.train.loop.run_metadata import make_run_metadata
from fer_edge.train.loop.sam import SharpnessAwareModel, require_tensorflow
from fer_edge.train.loop.training_data import PartOf, TrainingData, class_weights
from fer_edge.train.loop.training_model import AugmentedModel
from fer_edge.train.loop.warm_start import load_warm_start
from fer_edge.train.recipe import Recipe
from fer_edge.train.zoo.mobilenet import take_backbone
from fer_edge.train.zoo.registry import Architecture, find_architecture

keras = load_keras()

CLEAN_SAMPLE = 4096
"""Training images, not augmented: for the statistics of batch norms, and to see over- and underfitting."""


@dataclasses.dataclass(frozen=True)
class Division:
    """The Training split of a data set, divided for one run.

    Attributes:
        training: what is trained on.
        holdout: what decides inside the run, or None.
        dropped: how many images are neither: leaks, and blank or conflicting ones.
        part_of: of which images `training` is a part, where it shares them with runs that hold out less.
    """

    training: Split
    holdout: Split | None
    dropped: int
    part_of: PartOf | None = None


@dataclasses.dataclass(frozen=True)
class PreparedRun:
    """A run that has only to be trained.

    Attributes:
        name: of the model as it was asked for.
        recipe: of the run.
        out: its folder, which has ``run.json``.
        metadata: the content of ``run.json``.
        info: what the model file is to carry.
        data: batches of every epoch.
        model: the wrapped network, compiled, with all variables as they are after `history`.
        measured: the same network in float32, whatever computes in training: what is measured and saved.
        steps_per_epoch: of `data`.
        clean: a sample of the training images, at most `CLEAN_SAMPLE`, without augmentation.
        holdout: what decides inside the run, or None.
        history: the epochs that were done before a resume.
    """

    name: str
    recipe: Recipe
    out: Path
    metadata: dict[str, Any]
    info: ModelInfo
    data: TrainingData
    model: AugmentedModel
    measured: Any
    steps_per_epoch: int
    clean: Split
    holdout: Split | None
    history: tuple[Epoch, ...]


def prepare(
    dataset: Dataset,
    name: str,
    recipe: Recipe,
    out: Path,
    *,
    resume: bool = False,
    teachers: Sequence[Teacher] = (),
    held_out: Split | None = None,
    start: Path | None = None,
    origin: Mapping[str, str] = MappingProxyType({}),
) -> PreparedRun:
    """Prepare a run; the arguments are those of `fer_edge.train.loop.training.train_model`.

    Nothing is written before all that can be refused has been, but for a resume that finds a damaged checkpoint.

    Raises:
        DataError: no Training split; nothing to resume; `out` belongs to another run.
        ModelFileError: `start` holds another network, or is to become a mirror-equivariant one and is none.
    """
    architecture = find_architecture(name, recipe.input_size, recipe.channels, recipe.width)
    division = divide(dataset, recipe, held_out)
    _check_size(dataset, division.training, architecture)
    if recipe.sam:
        require_tensorflow()
    use_all_devices(recipe.batch_size)
    keras.utils.set_random_seed(recipe.seed)
    classifier = _network(architecture, dataset, division.training, recipe, start)
    # What is measured and saved computes in float32, whatever trained it.
    measured = architecture.build(architecture.input_size, len(dataset.labels), recipe.dropout)
    metadata = _metadata(architecture, classifier.count_params(), dataset, division, recipe, teachers)
    data = TrainingData(division.training, len(dataset.labels), recipe, teachers, division.part_of)
    metadata = claim_folder(out, {**metadata, "origin": dict(origin)}, resume)
    first = data.batches(0)
    model = _training_model(classifier, data, division.training, len(dataset.labels), recipe, len(first))
    # Its variables, and its optimizer's, before anything is restored into them.
    model(first[0][0], training=False)
    model.optimizer.build(model.trainable_variables)
    history = _history(out / CHECKPOINT, model) if resume else []
    return PreparedRun(
        name=name,
        recipe=recipe,
        out=out,
        metadata=metadata,
        info=_info(architecture, dataset, recipe, metadata),
        data=data,
        model=model,
        measured=measured,
        steps_per_epoch=len(first),
        clean=_evenly(division.training, CLEAN_SAMPLE),
        holdout=division.holdout,
        history=tuple(history),
    )


def divide(dataset: Dataset, recipe: Recipe, held_out: Split | None = None) -> Division:
    """Divide the Training split into what is trained on, what decides inside the run, and what is dropped.

    Args:
        dataset: with a Training split.
        recipe: says what is dropped, how much is held out, and how the rest is balanced.
        held_out: decides instead of a share of Training, which stays whole.

    Raises:
        DataError: no Training split; or nothing is held out, and the recipe follows the accuracy on what is.
    """
    original = dataset.split(TRAINING)
    usable = training_without_leaks(dataset) if recipe.drop_leaks else original
    if recipe.clean:
        usable = usable.take(~(blank(usable) | conflicting(usable)))
    training, holdout, part_of = usable, held_out, None
    if recipe.holdout and not held_out:
        training, holdout = hold_out(usable, recipe.holdout)
        part_of = PartOf(usable, ~np.isin(usable.hashes(), holdout.hashes()))
    if not holdout and (recipe.patience or recipe.schedule == "plateau"):
        raise DataError(
            f"{dataset.name}: expected images to hold out, which --patience and --schedule plateau follow, found none; "
            "raise --holdout"
        )
    if recipe.resample:  # after the division, so that nothing made from a held-out image is trained on
        training, part_of = resample(training, recipe.resample, recipe.seed, dataset.labels), None
    return Division(training, holdout, len(original) - len(usable), part_of)


def _check_size(dataset: Dataset, training: Split, architecture: Architecture) -> None:
    if not len(training):
        raise DataError(f"{dataset.name}: expected images to train on, found none after dropping those in test splits")
    form = Form(architecture.input_size, architecture.channels)
    if training.images.shape[1:] != form.shape:
        found = "x".join(map(str, training.images.shape[1:]))
        raise DataError(f"{dataset.name}: expected images of {form}, found {found}")


def _network(architecture: Architecture, dataset: Dataset, training: Split, recipe: Recipe, start: Path | None) -> Any:
    """Return the network that is trained, with the weights that it begins with."""
    with computing_in(recipe.precision):
        classifier = architecture.build(architecture.input_size, len(dataset.labels), recipe.dropout)
    if start and start.suffix == ".h5":
        take_backbone(classifier, start, recipe.width)
    elif start:
        shown = normalise(training.images, recipe.contrast)
        load_warm_start(classifier, start, dataset.labels, shown, mirror_equivariant=recipe.symmetric)
    if recipe.symmetric:
        tie(classifier)
    fuse_batch_norm(classifier)
    return classifier


def _metadata(
    architecture: Architecture,
    parameters: int,
    dataset: Dataset,
    division: Division,
    recipe: Recipe,
    teachers: Sequence[Teacher],
) -> dict[str, Any]:
    images = {
        "trained": len(division.training),
        "held_out": len(division.holdout) if division.holdout else 0,
        "dropped": division.dropped,
    }
    metadata = make_run_metadata(architecture.name, parameters, dataset, recipe, images, architecture.description)
    if teachers:
        metadata["teachers"] = [describe_teacher(teacher) for teacher in teachers]
    return metadata


def _info(architecture: Architecture, dataset: Dataset, recipe: Recipe, metadata: dict[str, Any]) -> ModelInfo:
    provenance = {key: metadata[key] for key in ("run", "parameters", "data", "recipe", "started")}
    return ModelInfo(
        architecture.name,
        dataset.labels,
        architecture.input_size,
        contrast=recipe.contrast,
        channels=architecture.channels,
        framing="eyes" if dataset.photos and dataset.photos.upright else "box",
        training=provenance | {"versions": metadata["machine"]["versions"]},
    )


def _training_model(
    classifier: Any, data: TrainingData, training: Split, classes: int, recipe: Recipe, steps_per_epoch: int
) -> AugmentedModel:
    """Return the wrapped network, compiled."""
    kind = SharpnessAwareModel if recipe.sam else AugmentedModel
    auxiliary = (0 if training.auxiliary is None else training.auxiliary.shape[1], recipe.auxiliary_share)
    weights = class_weights(training.labels, classes, recipe.class_weighting)
    augmenter = Augmenter(data.augmentation, recipe.seed)
    model = kind(classifier, augmenter, recipe.label_smoothing, recipe.distillation, weights, auxiliary)
    model.radius = recipe.sam
    # XLA has no kernel for the affine resampling on TensorFlow, and is slower than oneDNN's convolutions on a CPU.
    model.compile(optimizer=make_optimizer(recipe, steps_per_epoch), jit_compile=keras.backend.backend() == "jax")
    return model


def _history(checkpoint: Path, model: AugmentedModel) -> list[Epoch]:
    """Restore a checkpoint into a model, and return the epochs that it has behind it."""
    state = load_checkpoint(checkpoint, model)
    try:
        return [Epoch(**row) for row in state["history"]]
    except (KeyError, TypeError) as error:
        raise DataError(f"{checkpoint}: expected a checkpoint of this run, found one without its epochs") from error


def _evenly(split: Split, most: int) -> Split:
    """Return at most that many images of a split, spread evenly over it."""
    return split.take(np.linspace(0, len(split) - 1, min(len(split), most)).astype(np.int64))
