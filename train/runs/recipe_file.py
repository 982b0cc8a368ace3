"""Recipes as YAML files: the shipped ones, and one's own.

A file holds settings of ``fer-edge train``, with underscores for dashes, and what has to be trained first::

    base: compact            # begin with the settings of this recipe
    epochs: 120
    needs:
      votes: auxiliary_ferplus          # the option that must name the votes of FER+
      teachers: [teacher, teacher-vgg]  # recipes whose models this one learns from
      start: compact-start              # the recipe whose weights it begins with
      temperature: compact-fer2013-holdout      # the recipe of a run whose temperature it takes

Every key may be missing. `needs` stands for all of that of the base. A recipe is named as the file beside it, without
``.yaml``, as a shipped one, or by its path from the file's folder.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_edge.errors import ConfigError, DataError
from fer_edge.train.recipe import SETTINGS, make_recipe
from fer_edge.train.runs.config import VOTES, Needs, TrainConfig, architecture_of, is_file
from fer_edge.train.settings import settings_of
from fer_edge.train.yaml_file import compose_yaml, refuse_node, shown

FOLDER = Path(__file__).parents[1] / "recipes"
PUBLISHED = FOLDER / "published"
YAML = (".yaml", ".yml")


@dataclasses.dataclass(frozen=True)
class RecipeFile:
    """A recipe that was read.

    Attributes:
        path: of its file.
        settings: values by their names.
        needs: what has to be there first.
    """

    path: Path
    settings: Mapping[str, Any]
    needs: Needs


KNOWN = {**SETTINGS, **{said.name: said for said in settings_of(TrainConfig).values()}}
"""All settings of a recipe file, by their names."""


def shipped_recipes() -> dict[str, Path]:
    """Return the recipes of the package by their names, the published ones included."""
    return {path.stem: path for path in sorted(FOLDER.glob("[!_]*.yaml"))} | published_recipes()


def published_recipes() -> dict[str, Path]:
    """Return the recipes of published systems by their names."""
    return {path.stem: path for path in sorted(PUBLISHED.glob("[!_]*.yaml"))}


def find_recipe(name: str) -> Path:
    """Return the file of the recipe `name`: a shipped one, or a path.

    Raises:
        ConfigError: there is none.
    """
    shipped = shipped_recipes()
    if name in shipped:
        return shipped[name]
    if name.endswith(YAML) and is_file(Path(name)):
        return Path(name)
    raise ConfigError(
        "recipe",
        f"{name!r} is neither a .yaml file nor a shipped recipe ({', '.join(shipped)}){nearest(name, shipped)}",
    )


def find_preset(name: str) -> Path:
    """Return the file of the recipe of a published system.

    Raises:
        ConfigError: there is none.
    """
    published = published_recipes()
    if name not in published:
        raise ConfigError("preset", f"{name!r} is none of {', '.join(published)}{nearest(name, published)}")
    return published[name]


def read_recipe(path: Path) -> RecipeFile:
    """Read a recipe file, with what it is based on, and check it.

    Raises:
        DataError: it cannot be read, or holds what no recipe may; names the line.
        MissingExtraError: PyYAML is not installed.
    """
    return _read(path, ())


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean ...?" where a known word resembles `word`, else ""."""
    found = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean '{found[0]}'?" if found else ""


def _read(path: Path, above: tuple[Path, ...]) -> RecipeFile:
    """Read a file that those `above` are based on."""
    keys = (*KNOWN, "base", "needs")
    entries = dict(_entries(path, compose_yaml(path, "a recipe", ", ".join(keys)), keys, "setting"))
    settings, needs = dict[str, Any](), Needs()
    if "base" in entries:
        file = _named(path, entries.pop("base"))
        if file.resolve() in (path.resolve(), *above):
            raise DataError(f"{path}: expected a base that is not based on it, found '{file.stem}'; take another")
        base = _read(file, (*above, path.resolve()))
        settings, needs = dict(base.settings), base.needs
    if "needs" in entries:
        needs = _needs(path, entries.pop("needs"))
    for name, node in entries.items():
        settings[name] = _value(path, name, node)
    try:
        make_recipe(settings, taught=bool(needs.teachers))
    except ConfigError as error:
        node = entries.get(error.option)
        line = f" line {node.start_mark.line + 1}:" if node else ""
        raise DataError(f"{path}:{line} {error}") from error
    return RecipeFile(path, settings, needs)


def _entries(path: Path, node: Any, known: Sequence[str], what: str) -> Iterator[tuple[str, Any]]:
    """Yield the keys of a mapping with their nodes."""
    if node.id != "mapping":
        refuse_node(path, node, f"expected a {what} and its value a line, such as 'epochs: 60'", shown(node))
    seen = set()
    for key, value in node.value:
        if key.value not in known:
            expected = f"expected a {what} of a recipe"
            refuse_node(path, key, expected, f"{shown(key)}{nearest(str(key.value), known)}")
        if key.value in seen:
            refuse_node(path, key, f"expected '{key.value}' once", "it a second time")
        seen.add(key.value)
        yield key.value, value


def _value(path: Path, name: str, node: Any) -> Any:
    if node.id != "scalar":
        refuse_node(path, node, f"expected one value for '{name}'", shown(node))
    try:
        if name == "model":
            model = str(path.parent / node.value) if node.value.endswith(YAML) else node.value
            architecture_of(model)
            return model
        return KNOWN[name].parse(node.value)
    except ConfigError as error:
        raise DataError(f"{path}: line {node.start_mark.line + 1}: {error}") from error


def _needs(path: Path, node: Any) -> Needs:
    entries = dict(_entries(path, node, [field.name for field in dataclasses.fields(Needs)], "need"))
    votes = entries.get("votes")
    if votes and votes.value not in VOTES:
        refuse_node(path, votes, f"expected {' or '.join(VOTES)} for 'votes'", shown(votes))
    teachers = entries.get("teachers")
    if teachers and teachers.id != "sequence":
        refuse_node(path, teachers, "expected a list of recipes for 'teachers'", shown(teachers))
    return Needs(
        tuple(_named(path, teacher) for teacher in teachers.value) if teachers else (),
        _named(path, entries["start"]) if "start" in entries else None,
        _named(path, entries["temperature"]) if "temperature" in entries else None,
        votes.value if votes else "",
    )


def _named(path: Path, node: Any) -> Path:
    """Return the recipe file that a node of the file `path` names."""
    shipped, name = shipped_recipes(), str(node.value)
    if node.id == "scalar":
        for file in (path.parent / f"{name}.yaml", shipped.get(name), path.parent / name):
            if file and file.suffix in YAML and is_file(file):
                return file
    refuse_node(path, node, "expected a recipe, shipped or beside this file", f"{shown(node)}{nearest(name, shipped)}")
