"""``fer_edge.train`` and ``fer_edge.evaluate``: what the commands of these names call.

Everything else is imported when it is needed: ``.tflite`` files are measured without Keras.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fer_edge.errors import ConfigError
from fer_edge.model_file import read_info
from fer_edge.shipped import find_model

if TYPE_CHECKING:
    from fer_edge.train.data.dataset import Dataset
    from fer_edge.train.evaluate.comparison import Comparison
    from fer_edge.train.evaluate.report import Report
    from fer_edge.train.runs.config import TrainConfig
    from fer_edge.train.runs.data import Data
    from fer_edge.train.runs.outcome import Outcome

Name = str | os.PathLike[str]
logger = logging.getLogger(__name__)


def train(config: TrainConfig, data: Data, *, note: Callable[[str], None] = logger.info) -> Outcome:
    """Train a model, after the models that its recipe needs, and leave the run in a folder.

    The folder, `TrainConfig.out`, gets ``model.keras``, ``history.csv``, ``curves.png``, ``run.json`` and a checkpoint
    after every epoch. A killed run goes on where it stopped with `TrainConfig.resume`, or, with a recipe file, when it
    is called again.

    Args:
        config: what to train and how; `fer_edge.train.runs.configure.configure` makes one from a recipe file.
        data: ``demo`` (generated), a ``fer2013.csv``, a folder or zip of pictures, or several joined with ``+``; or a
            data set that is open. Images are grey, uint8, 48 x 48.
        note: is told what a user should know, such as how the data was read, one line each.

    Returns:
        The path of the model, the epoch it is from, its temperature and its accuracy on held-out images, a share in
        0..1.

    Raises:
        DataError: the data set cannot be read or trained on; or the folder holds another run.
        ModelFileError: a teacher or warm start is no such file.
        ConfigError: `config` is none, or data that are open are to be read in another way.
        MissingExtraError: Keras, or what else the extra ``train`` has, is not installed.

    Example:
        >>> import fer_edge
        >>> from fer_edge.train.recipe import Recipe
        >>> config = fer_edge.TrainConfig("run", Recipe(epochs=1), model="nano")
        >>> outcome = fer_edge.train(config, "faces")
        >>> outcome.model.name, outcome.epochs
        ('model.keras', 1)
    """
    from fer_edge.train.runs.chain import Chain
    from fer_edge.train.runs.config import TrainConfig
    from fer_edge.train.runs.one_run import train_one
    from fer_edge.train.runs.processes import part_of_process

    if not isinstance(config, TrainConfig):
        raise ConfigError("config", f"`config`: expected a TrainConfig, found {type(config).__name__}")
    with part_of_process(config, note) as mine:
        outcome = train_one(Chain(mine, data, note).supply(mine), data, note)
    return dataclasses.replace(outcome, model=config.out / outcome.model.name)


def evaluate(
    models: Name | Sequence[Name],
    data: Data,
    split: str = "PublicTest",
    *,
    ferplus: Path | None = None,
    mapping: Mapping[str, str] | None = None,
    faces: str = "auto",
    robustness: bool = False,
    mirror: bool = False,
    plots: Path | None = None,
    prior: str | None = None,
) -> Report:
    """Measure a model, or the mean of several, on a split of a data set.

    Args:
        models: ``.keras`` or ``.tflite`` files, or names of shipped models.
        data: as `train` takes it.
        split: the images to measure on.
        ferplus: file of FER+ votes that relabel a ``fer2013.csv`` to eight classes, or None.
        mapping: class -> the class it becomes, or "" to leave its images out.
        faces: what to do with the pictures of folders and zips: ``crop`` cuts the largest face out of each, ``as-is``
            takes them for faces, ``auto`` looks at some of them to decide.
        robustness: measure under shift, blur, poor light and the like too.
        mirror: measure with each image averaged with its mirror image too.
        plots: folder for the confusion matrix and the worst mistakes as PNG files, or None.
        prior: how common classes are to be taken to be, `fer_edge.labels.PRIOR_FORM`; None: as the models do.

    Returns:
        All figures; accuracies are shares in 0..1, scores float32, N x classes.

    Raises:
        ModelFileError: a file is no model, or models have different labels.
        DataError: the data set cannot be read, has other labels, another image size, or not this split.
        ConfigError: no model, data that are open are to be read in another way, or `prior` is none for the labels.
        MissingExtraError: what a part needs is not installed.

    Example:
        >>> import fer_edge
        >>> report = fer_edge.evaluate("nano.tflite", "faces")
        >>> report.scores.shape == (report.metrics.images, len(report.metrics.classes))
        True
    """
    from fer_edge.train.evaluate.report import measure

    several = [models] if isinstance(models, (str, os.PathLike)) else models
    if not several:
        raise ConfigError("models", "`models`: expected a model or several, found none")
    files, joined = [find_model(model) for model in several], dict(mapping or {})
    dataset = _open(data, ferplus, joined, faces, plots, files[0])
    report = measure(files, dataset, split, joined, mirror=mirror, robustness=robustness, prior=prior)
    if plots:
        report.draw(plots)
    return report


def compare(
    models: Sequence[Name],
    data: Data,
    split: str = "PublicTest",
    *,
    ferplus: Path | None = None,
    mapping: Mapping[str, str] | None = None,
    faces: str = "auto",
    robustness: bool = False,
    mirror: bool = False,
    plots: Path | None = None,
    prior: str | None = None,
) -> Comparison:
    """Measure two or more models on a split of a data set, and by how much they differ from the first.

    Args:
        models: ``.keras`` or ``.tflite`` files, or names of shipped models. Their labels may differ, if each knows the
            classes that the split shows.
        data: as `train` takes it.
        split: as in `evaluate`, like all that follow.
        ferplus: file of FER+ votes.
        mapping: class -> the class it becomes.
        faces: what to do with pictures.
        robustness: measure under each condition too.
        mirror: measure with mirror images too.
        plots: folder of a folder for each model.
        prior: how common classes are to be taken to be.

    Returns:
        A report of each model; differences are paired, in shares, with intervals of 95 %.

    Raises:
        ConfigError: fewer than two models; and what `evaluate` raises.

    Example:
        >>> import fer_edge
        >>> found = fer_edge.compare(["nano.tflite", "compact"], "faces")
        >>> low, high = found.differences[0].top1_interval
        >>> low <= found.differences[0].top1 <= high
        True
    """
    from fer_edge.train.evaluate.comparison import Comparison
    from fer_edge.train.evaluate.report import measure

    if isinstance(models, (str, os.PathLike)) or len(models) < 2:
        raise ConfigError("models", "`models`: expected two or more to compare, found one")
    files, joined = [find_model(model) for model in models], dict(mapping or {})
    reports = []
    for file in files:  # each sees images of its own size and colour; the cache makes that cheap
        dataset = _open(data, ferplus, joined, faces, plots, file)
        reports.append(measure([file], dataset, split, joined, mirror=mirror, robustness=robustness, prior=prior))
    comparison = Comparison(tuple(reports))
    if plots:
        comparison.draw(plots)
    return comparison


def _open(
    data: Data, ferplus: Path | None, mapping: Mapping[str, str], faces: str, plots: Path | None, model: Path
) -> Dataset:
    """Return the data set in the form that a model sees, and make the folder of plots."""
    from fer_edge.train.data.classes import in_order
    from fer_edge.train.data.form import Form
    from fer_edge.train.runs.data import open_data

    if plots:
        plots.mkdir(parents=True, exist_ok=True)  # before minutes of measuring
    info = read_info(model)
    form = Form(info.input_size, info.channels, info.framing)
    dataset = open_data(data, ferplus, mapping=mapping, form=form, faces=faces)
    return dataset if mapping else in_order(dataset, info.labels)
