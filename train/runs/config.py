"""What a training is told: its recipe, and the files and folders it works with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_edge.config import check_choice
from fer_edge.errors import ConfigError
from fer_edge.shipped import find_model
from fer_edge.train.data.spec import FACES
from fer_edge.train.recipe import SETTINGS, SHAPE, Distillation, Recipe
from fer_edge.train.settings import check_settings, refuse_without_effect, setting

if TYPE_CHECKING:
    from fer_edge.train.zoo.registry import Architecture

LEAKY = "leaky-resample"
VOTES = ("ferplus", "auxiliary_ferplus", "fused_ferplus")
"""Options that name a file of votes."""

SHARES = {"auxiliary_ferplus": "auxiliary_share", "fused_ferplus": "fused_share"}
"""Such an option -> the setting that says how much its votes count."""


@dataclasses.dataclass(frozen=True)
class Needs:
    """What has to be there before a training.

    Attributes:
        teachers: recipe files of the models to learn from.
        start: recipe file of the model whose weights training begins with, or None.
        temperature: recipe file of the run whose temperature is taken, or None.
        votes: the option that names the file of votes, one of `VOTES`, or "" for none.
    """

    teachers: tuple[Path, ...] = ()
    start: Path | None = None
    temperature: Path | None = None
    votes: str = ""


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """A training, checked before anything is read.

    Attributes:
        out: folder of the run.
        recipe: its settings.
        model: a network of the zoo, or a ``.yaml`` file that describes one.
        ferplus: file of FER+ votes that relabel a ``fer2013.csv``, or None.
        ferplus_target: what is learned of these votes.
        auxiliary_ferplus: file of FER+ votes to learn beside the labels, or None.
        fused_ferplus: file of FER+ votes to mix with the labels into one target for each image, or None.
        mapping: class -> the class it becomes, or "" to leave its images out.
        faces: what to do with the pictures of folders and zips, one of `FACES`.
        protocol: how the data is divided.
        teachers: models to learn from: ``.keras`` or int8 ``.tflite`` files, or names of shipped models.
        start_from: the model whose weights training begins with, or None.
        temperature_from: folder of the run whose temperature is taken, or None.
        needs: recipes that have to be trained first, if `needs_from` has not their models.
        needs_from: folder of models and runs of those recipes, or None.
        resume: continue the killed run in `out`.
        repeatable: continue the run in `out` if there is one, else begin it.
        tensorboard: folder for TensorBoard logs, or None.

    Raises:
        ConfigError: settings that contradict each other, or one that would have no effect.
        ModelFileError: a teacher or warm start does not exist.

    Example:
        >>> import fer_edge
        >>> fer_edge.TrainConfig("run", teachers=("large",)).recipe.distillation.share
        0.7
    """

    out: Path
    recipe: Recipe = dataclasses.field(default_factory=Recipe)
    model: str = setting("compact", "Train this network: one of the zoo, or a .yaml file.")
    ferplus: Path | None = None
    ferplus_target: str = setting(
        "cross-entropy",
        "Learn this of the votes: the majority's class, one drawn from them every epoch, or their shares.",
        choices=("majority", "probability", "cross-entropy"),
    )
    auxiliary_ferplus: Path | None = None
    fused_ferplus: Path | None = None
    mapping: Mapping[str, str] = dataclasses.field(default_factory=dict)
    faces: str = "auto"
    protocol: str = setting(
        "clean",
        "Choose how the data is divided; leaky-resample balances all splits together before, as published claims did.",
        choices=("clean", LEAKY),
    )
    teachers: tuple[Path, ...] = ()
    start_from: Path | None = None
    temperature_from: Path | None = None
    needs: Needs = Needs()
    needs_from: Path | None = None
    resume: bool = False
    repeatable: bool = False
    tensorboard: Path | None = None

    def __post_init__(self) -> None:
        """Check, and give the recipe what the files ask of it."""
        self._set("out", Path(self.out))
        self._set("teachers", tuple(find_model(teacher) for teacher in self.teachers))
        self._set("start_from", find_model(self.start_from) if self.start_from else None)
        check_settings(self)
        check_choice("faces", self.faces, FACES)
        _check_shape(self.model, self.recipe)
        if self.taught and not self.recipe.distillation:
            self._set("recipe", dataclasses.replace(self.recipe, distillation=Distillation()))
        for option, share in SHARES.items():
            if getattr(self, option) and not getattr(self.recipe, share):
                self._set("recipe", dataclasses.replace(self.recipe, **{share: SETTINGS[share].default}))
        self._refuse_contradictions()
        self._refuse_what_does_nothing()

    @property
    def taught(self) -> bool:
        """Whether there are teachers, or will be."""
        return bool(self.teachers or self.needs.teachers)

    @property
    def leaky(self) -> bool:
        """Whether the splits hold copies of each other's images."""
        return self.protocol == LEAKY

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _refuse_contradictions(self) -> None:
        if self.temperature_from and self.recipe.holdout:
            raise ConfigError(
                "temperature_from",
                "`temperature_from` is for `holdout` 0; a run that holds out finds its own temperature",
            )
        if self.leaky and self.ferplus and self.ferplus_target != "majority":
            raise ConfigError("protocol", f"`protocol` {LEAKY} knows labels only: give `ferplus_target` majority")
        if self.leaky and not self.recipe.resample:
            raise ConfigError("protocol", f"`protocol` {LEAKY} needs the method: give `resample` too")
        if self.auxiliary_ferplus and (self.recipe.resample or self.ferplus):
            raise ConfigError(
                "auxiliary_ferplus", "`auxiliary_ferplus` is for FER2013 as it is: no `resample`, no `ferplus`"
            )
        if self.fused_ferplus and (self.recipe.resample or self.ferplus or self.auxiliary_ferplus):
            raise ConfigError(
                "fused_ferplus",
                "`fused_ferplus` is for FER2013 as it is: no `resample`, no `ferplus`, no `auxiliary_ferplus`",
            )
        if (option := self.needs.votes) and not getattr(self, option):
            raise ConfigError(option, f"this recipe learns from the votes of FER+: give `{option}` fer2013new.csv")

    def _refuse_what_does_nothing(self) -> None:
        values = {
            **{share: getattr(self.recipe, share) for share in SHARES.values()},
            "dropout": self.recipe.dropout,
            "ferplus_target": self.ferplus_target,
        }
        usual: dict[str, Any] = dict.fromkeys(SHARES.values(), 0.0)
        usual |= {"dropout": Recipe.dropout, "ferplus_target": type(self).ferplus_target}
        if self.recipe.distillation and not self.taught:
            refuse_without_effect("teacher_share", self.recipe.distillation.share, NO_TEACHER)
        for name, reason in without_files(vars(self) | {"taught": self.taught}).items():
            if name in values and values[name] != usual[name]:
                refuse_without_effect(name, values[name], reason)


NO_TEACHER = "there is no `teachers`"


def without_files(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return which settings cannot act without the files they are about: option -> why.

    Args:
        fields: `TrainConfig.model`, `TrainConfig.taught` and the files of votes.
    """
    reasons = {
        **{share: "" if fields[option] else f"there is no `{option}`" for option, share in SHARES.items()},
        "ferplus_target": "" if fields["ferplus"] else "there is no `ferplus`",
        **dict.fromkeys(
            ("teacher_share", "temperature", "views", "mixed_views"), "" if fields["taught"] else NO_TEACHER
        ),
    }
    if architecture_of(fields["model"]).description.get("dropout") is not None:
        reasons["dropout"] = "the network fixes its own; take it out of the file"
    return {name: reason for name, reason in reasons.items() if reason}


def _check_shape(model: str, recipe: Recipe) -> None:
    """Raise ConfigError for another input or width of a network that has one."""
    from fer_edge.train.zoo.mobilenet import MOBILENETS

    architecture_of(model)
    for name in SHAPE:
        if model not in MOBILENETS and getattr(recipe, name) != getattr(Recipe, name):
            refuse_without_effect(name, getattr(recipe, name), f"it is for {' and '.join(MOBILENETS)}")


def architecture_of(model: str, recipe: Recipe | None = None) -> Architecture:
    """Return the network that ``--model`` names, as the recipe shapes it.

    Raises:
        ConfigError: there is none.
        DataError: the file that it names describes none.
    """
    from fer_edge.train.zoo.registry import ZOO, find_architecture  # its networks are not needed for --help

    if model not in ZOO and not is_file(Path(model)):
        raise ConfigError("model", f"{model!r} is not in the zoo ({', '.join(ZOO)}), nor a YAML file")
    shape = (recipe.input_size, recipe.channels, recipe.width) if recipe else ()
    return find_architecture(model, *shape)


def is_file(path: Path) -> bool:
    """Return whether there is such a file; none has a name that is too long to be one."""
    try:
        return path.is_file()
    except OSError:
        return False
