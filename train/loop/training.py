"""One training run: from a data set to ``RUN/model.keras``, resumable after every epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_edge.files import locked_folder
from fer_edge.train.data.dataset import Dataset, Split
from fer_edge.train.distill.teacher_predictions import Teacher
from fer_edge.train.loop.finish import finish
from fer_edge.train.loop.fit import fit
from fer_edge.train.loop.history import Epoch
from fer_edge.train.loop.prepare import prepare
from fer_edge.train.recipe import Recipe


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
    origin: Mapping[str, str] | None = None,
) -> list[Epoch]:
    """Train a model of the zoo, or the one that the YAML file `name` describes, and leave the run in the folder `out`.

    Writes ``model.keras`` (the kept epoch's averaged weights), ``checkpoint.npz``, ``history.csv`` and
    ``run.json``.

    Args:
        dataset: with a Training split of the architecture's input size.
        name: of the model.
        recipe: all settings.
        out: the folder of the run, made where it is missing.
        resume: continue the interrupted run in `out` on its own schedule; it ends with the weights that an
            uninterrupted run would have had.
        teachers: those that ``recipe.distillation`` names.
        held_out: decides inside the run instead of the share of Training that the recipe would hold out; Training
            stays whole.
        start: the file with the weights to begin with, whose hash is ``recipe.start``.
        calibrated_like: the metadata of a run whose temperature is taken where nothing is held out.
        watch: told of every epoch once it is on disk.
        origin: where the run comes from, such as its command, for ``run.json``; no setting of it.

    Returns:
        One entry an epoch, those before a resume included.

    Raises:
        DataError: no Training split; nothing to resume; `out` belongs to another run; the training diverged.
        ModelFileError: `start` holds another network, or is to become a mirror-equivariant one and is none.
        OutputError: another process trains in `out`.
    """
    with locked_folder(out):
        run = prepare(
            *(dataset, name, recipe, out),
            resume=resume,
            teachers=teachers,
            held_out=held_out,
            start=start,
            origin=origin or {},
        )
        history = fit(run, watch)
        finish(run, history, calibrated_like)
    return history
