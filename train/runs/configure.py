"""From a recipe file and what was given by hand to the configuration of a training."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fer_edge.errors import ConfigError
from fer_edge.train.recipe import SETTINGS, make_recipe, without_effect
from fer_edge.train.runs.config import SHARES, VOTES, Needs, TrainConfig, without_files
from fer_edge.train.runs.recipe_file import KNOWN, RecipeFile, find_recipe, nearest, read_recipe
from fer_edge.train.settings import refuse_without_effect

NOTHING: Mapping[str, Any] = {}
NAMES = {*KNOWN, *(field.name for field in dataclasses.fields(TrainConfig))} - {"out", "recipe", "needs", "repeatable"}
"""What can be given by hand."""


def configure(
    out: str | os.PathLike[str],
    recipe: RecipeFile | str | os.PathLike[str] | None = None,
    given: Mapping[str, Any] = NOTHING,
) -> TrainConfig:
    """Return the configuration of a training.

    Args:
        out: folder of the run.
        recipe: a recipe file, the name or path of one, or None for the defaults.
        given: settings, and other fields of `TrainConfig`, that were given by hand; they win over the recipe.

    Raises:
        ConfigError: as `TrainConfig` and `Recipe` do; or what was given by hand is unknown, or would have no effect.
        DataError: the recipe file cannot be read, or holds what no recipe may.
    """
    for name in given:
        if name not in NAMES:
            raise ConfigError(name, f"`{name}`: expected a setting of a training{nearest(name, NAMES)}")
    file = recipe if recipe is None or isinstance(recipe, RecipeFile) else read_recipe(find_recipe(os.fspath(recipe)))
    settings = {name: said.default for name, said in KNOWN.items()} | dict(file.settings if file else NOTHING)
    settings |= {name: value for name, value in given.items() if name in KNOWN}
    others = {name: value for name, value in given.items() if name not in KNOWN}
    needs = _left_to_make(file.needs if file else Needs(), settings, others)
    taught = bool(others.get("teachers") or needs.teachers)
    files = {"model": settings["model"], "taught": taught}
    files |= {name: others.get(name) for name in VOTES}
    unused = without_files(files)
    idle = without_effect(settings)
    for name, value in given.items():
        off, reason = idle.get(name, (None, unused.get(name)))
        if reason and value != off:
            refuse_without_effect(name, value, reason)
    for share in SHARES.values():
        if share in unused:
            settings[share] = SETTINGS[share].off
    for name in unused.keys() & KNOWN.keys() - SETTINGS.keys():
        settings[name] = KNOWN[name].default
    return TrainConfig(
        out=Path(out),
        recipe=make_recipe({name: value for name, value in settings.items() if name in SETTINGS}, taught=taught),
        model=settings["model"],
        ferplus_target=settings["ferplus_target"],
        protocol=settings["protocol"],
        needs=needs,
        repeatable=file is not None,
        **others,
    )


def _left_to_make(needs: Needs, settings: Mapping[str, Any], others: Mapping[str, Any]) -> Needs:
    """Return what of a recipe's needs was not given by hand, and has something to act on."""
    if others.get("teachers"):
        needs = dataclasses.replace(needs, teachers=())
    if others.get("start_from"):
        needs = dataclasses.replace(needs, start=None)
    if others.get("temperature_from") or settings["holdout"]:
        needs = dataclasses.replace(needs, temperature=None)
    return needs
