"""One training, from its configuration to what is said of it; what it needs is there."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fer_edge.errors import DataError
from fer_edge.machine import command_line
from fer_edge.model_file import file_hash
from fer_edge.train.data.balance import leaky_resample
from fer_edge.train.data.dataset import PRIVATE_TEST, Dataset, Split
from fer_edge.train.data.form import Form
from fer_edge.train.distill.teacher_predictions import open_teachers, predictions_kept
from fer_edge.train.loop.display import TensorBoardLog
from fer_edge.train.loop.finish import read_calibration
from fer_edge.train.loop.history import Epoch
from fer_edge.train.loop.run_folder import CHECKPOINT, read_metadata
from fer_edge.train.loop.training import train_model
from fer_edge.train.recipe import Recipe
from fer_edge.train.runs.config import TrainConfig, architecture_of
from fer_edge.train.runs.data import Data, open_data
from fer_edge.train.runs.outcome import Outcome

Note = Callable[[str], None]
"""Is told what a user should know, one line each."""


def train_one(config: TrainConfig, data: Data, note: Note) -> Outcome:
    """Train, and return what came of it.

    Args:
        config: with no `TrainConfig.needs` left.
        data: what to train on.
        note: is told of the data set and of what teachers leave behind.
    """
    architecture = architecture_of(config.model, config.recipe)
    dataset, held_out = _load(config, data)
    for said in dataset.notes:
        note(said)
    recipe = run_recipe(config)
    like = None
    if config.temperature_from:
        found_by = config.temperature_from
        like = read_calibration(found_by, architecture.name, dataset.fingerprint, recipe.to_dict())
    teachers = open_teachers(config.teachers, dataset.labels, architecture.input_size, architecture.channels)
    with _logging_to(config.tensorboard) as watch:
        history = train_model(
            dataset,
            config.model,
            recipe,
            config.out,
            resume=config.resume or (config.repeatable and (config.out / CHECKPOINT).exists()),
            teachers=teachers,
            held_out=held_out,
            start=config.start_from,
            calibrated_like=like,
            watch=watch,
            origin=_origin(data),
        )
    if teachers and (kept := predictions_kept()):
        folder, size = kept
        note(f"{folder} holds {size / 1e6:,.0f} MB of teachers' views, for other students; it may be deleted")
    return Outcome.of(config.out, history, recipe.epochs, dataset if config.leaky else None)


def _origin(data: Data) -> dict[str, str]:
    """Return the command and the place of the data, as far as there are any."""
    command, path = command_line(), None if isinstance(data, Dataset) else str(Path(data).resolve())
    found = {"command": command, "folder": str(Path.cwd()) if command else None, "data": path}
    return {name: value for name, value in found.items() if value}


def is_finished(config: TrainConfig, data: Data) -> bool:
    """Return whether the run of a configuration is over.

    Raises:
        DataError: its folder holds the finished run of another one.
    """
    card = read_metadata(config.out)
    if "finished" not in card:
        return False
    expected = {
        "model": architecture_of(config.model).name,
        "data": _load(config, data)[0].fingerprint,
        "recipe": json.loads(json.dumps(run_recipe(config).to_dict())),
    }
    found = {"model": card.get("model"), "data": card.get("data", {}).get("fingerprint"), "recipe": card.get("recipe")}
    if others := [name for name in expected if expected[name] != found[name]]:
        raise DataError(
            f"{config.out}: expected the run of this recipe, found a finished one with another {' and '.join(others)}; "
            "remove that folder, or choose another place for the run"
        )
    return True


def run_recipe(config: TrainConfig) -> Recipe:
    """Return the recipe as the run card has it, with hashes of files and what was done to the data."""
    recipe = config.recipe
    if recipe.distillation:
        hashes = tuple(map(file_hash, config.teachers))
        recipe = dataclasses.replace(recipe, distillation=dataclasses.replace(recipe.distillation, teachers=hashes))
    if config.leaky:
        method = f"{config.protocol}, {recipe.resample}"
        recipe = dataclasses.replace(recipe, protocol=method, resample="", drop_leaks=False)
    return dataclasses.replace(
        recipe,
        draw_labels=config.ferplus_target == "probability",
        start=file_hash(config.start_from) if config.start_from else "",
    )


def _load(config: TrainConfig, data: Data) -> tuple[Dataset, Split | None]:
    """Return the data set, and what decides inside the run if that is not a share of Training."""
    soft = config.ferplus_target != "majority"
    auxiliary = config.auxiliary_ferplus
    fused = (config.fused_ferplus, config.recipe.fused_share) if config.fused_ferplus else None
    architecture = architecture_of(config.model, config.recipe)
    dataset = open_data(
        *(data, config.ferplus),
        soft=soft,
        mapping=config.mapping,
        auxiliary=auxiliary,
        fused=fused,
        faces=config.faces,
        form=Form(architecture.input_size, architecture.channels),
    )
    if not config.leaky:
        return dataset, None
    recipe = config.recipe
    dataset = leaky_resample(dataset, recipe.resample, recipe.seed, drop_duplicates=True)
    # What decides inside the run leaks as well, as behind the claims; an honest part would keep another epoch.
    return dataset, dataset.split(PRIVATE_TEST) if recipe.holdout else None


@contextmanager
def _logging_to(folder: Path | None) -> Iterator[Callable[[Epoch], None] | None]:
    if folder is None:
        yield None
        return
    folder.mkdir(parents=True, exist_ok=True)  # TensorFlow's own error, where it cannot, is none of the system's
    with TensorBoardLog(folder) as log:
        yield lambda epoch: log.epoch(dataclasses.asdict(epoch))
