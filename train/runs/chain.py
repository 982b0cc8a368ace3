"""What a recipe needs, made first: teachers, a warm start, the run whose temperature is taken."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from fer_edge.errors import DataError
from fer_edge.train.loop.run_folder import MODEL, read_metadata
from fer_edge.train.runs.config import VOTES, Needs, TrainConfig
from fer_edge.train.runs.configure import configure
from fer_edge.train.runs.data import Data
from fer_edge.train.runs.one_run import Note, is_finished, train_one
from fer_edge.train.runs.recipe_file import read_recipe


class Chain:
    """The trainings that one needs, and those that they need.

    Each lies in a folder with its recipe's name, below the folder of the run that needs them all. A finished one is
    kept and a killed one continued, so that the same command goes on where it stopped.
    """

    def __init__(self, config: TrainConfig, data: Data, note: Note) -> None:
        """Prepare; nothing is trained yet.

        Args:
            config: of the run that needs the others.
            data: what all are trained on.
            note: is told of each training before it begins.
        """
        self._config, self._data, self._note = config, data, note
        self._votes = config.auxiliary_ferplus or config.fused_ferplus or config.ferplus

    def supply(self, config: TrainConfig, above: tuple[Path, ...] = ()) -> TrainConfig:
        """Return a configuration with the files and runs it needs, after making what is not there.

        Args:
            config: with `TrainConfig.needs`.
            above: the recipes that need this one.

        Raises:
            DataError: a recipe needs itself, or a folder holds another run.
        """
        needs = config.needs
        return dataclasses.replace(
            config,
            teachers=tuple(self._model(file, above) for file in needs.teachers) or config.teachers,
            start_from=self._model(needs.start, above) if needs.start else config.start_from,
            temperature_from=self._run(needs.temperature, above) if needs.temperature else config.temperature_from,
            needs=Needs(),
        )

    def _model(self, recipe: Path, above: tuple[Path, ...]) -> Path:
        """Return the model of a recipe: that of the folder given, else that of its run."""
        if folder := self._config.needs_from:
            converted = folder / f"{recipe.stem}.tflite"
            if converted.is_file():
                return converted
        return self._run(recipe, above) / MODEL

    def _run(self, recipe: Path, above: tuple[Path, ...]) -> Path:
        """Return the folder of a recipe's finished run."""
        if recipe in above:
            raise DataError(f"{recipe}: expected needs that come to an end, found that it needs itself")
        if self._config.needs_from and _holds_run(self._config.needs_from / recipe.stem):
            return self._config.needs_from / recipe.stem
        file = read_recipe(recipe)
        given: dict[str, Any] = {
            "mapping": self._config.mapping,
            "faces": self._config.faces,
            "needs_from": self._config.needs_from,
        }
        if file.needs.votes in VOTES:
            given[file.needs.votes] = self._votes
        config = configure(self._config.out / recipe.stem, file, given)
        config = self.supply(config, (*above, recipe))
        if not is_finished(config, self._data):
            self._note(f"{recipe.stem} is needed: training it in {config.out}")
            train_one(config, self._data, self._note)
        return config.out


def _holds_run(folder: Path) -> bool:
    return "finished" in read_metadata(folder) and (folder / MODEL).is_file()
