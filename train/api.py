"""``fer_edge.train`` and ``fer_edge.evaluate``: training and evaluation for programs, without the command line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fer_edge.errors import ConfigError
from fer_edge.shipped import find_model

if TYPE_CHECKING:
    from fer_edge.train.data.dataset import Dataset
    from fer_edge.train.evaluate.evaluation import Evaluation
    from fer_edge.train.loop.history import Epoch
    from fer_edge.train.recipe import Recipe

Name = str | os.PathLike[str]


def train(
    recipe: Recipe, data: Name | Dataset, *, out: Name, model: str = "compact", resume: bool = False
) -> list[Epoch]:
    """Train a model and leave it in the folder `out`, as ``model.keras``.

    Args:
        recipe: how to train.
        data: what ``fer-edge train`` takes (a fer2013.csv, a folder or zip of pictures, ``demo``), or a data set.
        out: folder of the run; also gets ``run.json``, ``history.csv`` and a checkpoint after every epoch.
        model: name of an architecture of the zoo, or path of a YAML file that describes one.
        resume: continue an interrupted run of the same recipe and data; the result is that of an uninterrupted one.

    Returns:
        The epochs: loss, accuracies as shares in 0..1, learning rate, seconds.

    Raises:
        DataError: data that cannot be read or hold no images to train on, or `out` belongs to another run.
        ConfigError: `recipe` is no recipe.
        MissingExtraError: Keras is not installed.

    Example:
        >>> import fer_edge
        >>> from fer_edge.train.recipe import Recipe
        >>> epochs = fer_edge.train(Recipe(epochs=1), "faces", out="run", model="nano")
        >>> len(epochs)
        1
    """
    from fer_edge.train.loop.training import train_model
    from fer_edge.train.recipe import Recipe

    if not isinstance(recipe, Recipe):
        raise ConfigError("recipe", f"`recipe`: expected a Recipe, found {type(recipe).__name__}")
    return train_model(_dataset(data), model, recipe, Path(out), resume=resume)


def evaluate(models: Name | Sequence[Name], data: Name | Dataset, split: str = "PublicTest") -> Evaluation:
    """Measure a model, or the average of several, on one split of a data set.

    Args:
        models: ``.keras`` or ``.tflite`` files, or names of shipped models.
        data: what ``fer-edge evaluate --data`` takes, or a loaded data set.
        split: of the data.

    Returns:
        ``metrics`` (shares in 0..1) and ``scores`` (float32, N x classes, probabilities).

    Raises:
        ModelFileError: a file that is no model, or models with different labels.
        DataError: data that cannot be read, have other classes or another image size, or not this split.
        MissingExtraError: what a part needs is not installed.

    Example:
        >>> import fer_edge
        >>> found = fer_edge.evaluate("nano.tflite", "faces")
        >>> found.scores.shape == (found.metrics.images, len(found.metrics.classes))
        True
    """
    from fer_edge.train.data.split_names import split_of
    from fer_edge.train.evaluate.evaluation import evaluate_models
    from fer_edge.train.evaluate.fit import fit_to_model

    listed = [models] if isinstance(models, (str, os.PathLike)) else models
    files, dataset = [find_model(model) for model in listed], _dataset(data)
    split = split_of(split, dataset.splits)
    fitted, _ = fit_to_model(dataset, split, files, {})
    return evaluate_models(files, fitted, split)


def _dataset(data: Name | Dataset) -> Dataset:
    from fer_edge.train.data.load import load_dataset

    return load_dataset(os.fspath(data)) if isinstance(data, (str, os.PathLike)) else data
