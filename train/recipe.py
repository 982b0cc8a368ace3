"""All the settings of a training run, as data that goes into its run card."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from fer_edge.errors import ConfigError
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.settings import (
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    WHOLE_SHARE,
    Range,
    check_settings,
    fields_from,
    refuse_without_effect,
    setting,
    settings_of,
    values_of,
)

LARGEST_SEED = 2_000_000_000
"""Keras on PyTorch keeps a seed in 31 bits, and the layers of the augmentation count on from the one given."""
SHAPE = ("input", "input_size", "width")
"""Settings that a MobileNet alone has."""
UNDONE = ("contrast", "light")
"""Elements of the augmentation that a normalised contrast undoes."""


@dataclasses.dataclass(frozen=True)
class Distillation:
    """How to learn from teachers (Hinton et al. 2015, arXiv:1503.02531).

    Attributes:
        teachers: hash of each teacher's file, so that runs with other teachers are other runs.

    Raises:
        ConfigError: a setting is out of its range.
    """

    teachers: tuple[str, ...] = ()
    share: float = setting(
        0.7,
        "Weigh the teachers by this share of the loss; the labels have the rest.",
        name="teacher_share",
        within=WHOLE_SHARE,
    )
    temperature: float = setting(2.0, "Divide the teachers' and the student's logits by this.", within=Range(0.1, 100))
    views: int = setting(
        16, "Let the teachers see this many augmented views, which the epochs take in turn.", within=Range(1)
    )
    mixed: float = setting(
        0.0,
        "Mix this share of a view's images with another before the teachers look.",
        name="mixed_views",
        within=WHOLE_SHARE,
    )

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_settings(self)
        if not self.share:
            refuse_without_effect("teacher_share", self.share, "leave `teachers` out for that")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How to train. What each setting is, its field says.

    A setting that cannot act beside the others is off: 0, whatever its default.

    Attributes:
        augmentation: what is done to the images.
        distillation: how to learn from teachers, or None.
        protocol: ``clean``, or the one under which the data set was made before training saw it, with its method.
        draw_labels: learn one label an image, drawn again from its votes every epoch (the *probability* training of
            Barsoum et al. 2016, arXiv:1608.01041, section 3), instead of the votes' shares.
        start: hash of the file whose weights training begins with, or "" for random ones.

    Raises:
        ConfigError: a setting is out of its range, contradicts another, or would have no effect beside it.
    """

    epochs: int = setting(60, "Train for this many epochs.", within=Range(1))
    batch_size: int = setting(64, "Take this many images a step.", within=Range(2))
    # AdamW: Loshchilov and Hutter 2019, arXiv:1711.05101. Muon: `fer_edge.train.loop.optimizer.AveragingMuon`.
    optimizer: str = setting(
        "adamw",
        "Choose how to step; sgd: Nesterov, 0.9; muon: for convolutions, at --learning-rate 1e-2 or more.",
        choices=("adamw", "adam", "sgd", "muon"),
    )
    learning_rate: float = setting(2e-3, "Rise to this rate at the peak.", within=POSITIVE)
    # The plateau is that of Khaireddin and Chen 2021, arXiv:2105.03588, section 4.3: times 0.75 after 5 epochs.
    schedule: str = setting(
        "cosine",
        "Choose how the rate falls; plateau follows the held-out accuracy.",
        choices=("cosine", "plateau", "constant"),
    )
    warmup_epochs: float = setting(2.0, "Let the rate rise for this many epochs, before a cosine.", within=NOT_NEGATIVE)
    weight_decay: float = setting(
        0.01, "Let kernels decay at this rate, decoupled; not with adam.", within=Range(0, 10)
    )
    # Foret et al. 2021, arXiv:2010.01412.
    sam: float = setting(
        0.0, "Minimize sharpness within this radius, at two passes a step, on TensorFlow; 0: off.", within=NOT_NEGATIVE
    )
    label_smoothing: float = setting(0.1, "Spread this share of each target over all classes.", within=SHARE)
    auxiliary_share: float = setting(
        0.0,
        "Weigh the loss of the second output, which --auxiliary-ferplus gives, by this.",
        within=POSITIVE,
        offered=0.5,
    )
    fused_share: float = setting(
        0.0,
        "Mix this share of votes, which --fused-ferplus gives, into each target; the label has the rest.",
        within=Range(0, 1, low_open=True),
        offered=0.5,
    )
    class_weighting: float = setting(
        0.0, "Weigh rare classes more: 1 weighs all classes alike, 0 all images.", within=WHOLE_SHARE
    )
    # At most a tenth of the run.
    ema_epochs: float = setting(
        2.0, "Keep the average of the weights over this many epochs; 0: the last weights.", within=NOT_NEGATIVE
    )
    dropout: float = setting(0.2, "Drop this share of what the last layer gets.", within=SHARE)
    patience: int = setting(
        0, "Stop after this many epochs without a better held-out accuracy; 0: never.", within=Range(0)
    )
    holdout: float = setting(
        0.1, "Hold out this share of Training, to choose the epoch; 0: train on all, keep the last.", within=SHARE
    )
    drop_leaks: bool = setting(
        True, "Also train on images that occur in a test split.", name="keep_leaks", negated=True
    )
    resample: str = setting(
        "",
        "Balance the classes of what is trained on, after the held-out part is away.",
        choices=("ros", "smote", "smote-tomek", "smote-enn"),
    )
    protocol: str = "clean"
    contrast: str = setting(
        "none",
        "Normalise every input so, also on the device.",
        name="input_contrast",
        choices=("none", "equalize", "clahe"),
    )
    input: str = setting("grey", "Show a MobileNet crops of this colour.", choices=("grey", "rgb"))
    input_size: int = setting(96, "Show a MobileNet crops of this side, in pixels.", within=Range(32, 224))
    width: float = setting(1.0, "Multiply a MobileNet's channels by this.", within=Range(0.1, 2))
    clean: bool = setting(False, "Leave out blank images and those that occur under two labels.")
    draw_labels: bool = False
    symmetric: bool = setting(False, "Tie weights in pairs: the same answer for an image and its mirror image.")
    precision: str = setting(
        "float32",
        "Choose what layers compute in; bfloat16 is faster on newer processors.",
        choices=("float32", "bfloat16"),
    )
    seed: int = setting(1, "Seed the weights, the order and the augmentation with this.", within=Range(0, LARGEST_SEED))
    augmentation: Augmentation = dataclasses.field(default_factory=Augmentation)
    distillation: Distillation | None = None
    start: str = ""

    def __post_init__(self) -> None:
        """Check the settings, and switch off those at their default that cannot act."""
        check_settings(self)
        if self.schedule == "plateau" and not self.holdout:
            raise ConfigError("schedule", "`schedule` plateau follows the held-out accuracy; give a `holdout` above 0")
        if self.input == "rgb" and self.contrast != "none":
            raise ConfigError("input_contrast", "`input_contrast` is for grey crops; leave it out beside `input` rgb")
        for name, (off, reason) in without_effect(values_of(self)).items():
            owner = self.augmentation if name in UNDONE else self
            _refuse_unless_default(owner, name, off, reason)
            if owner is self:
                object.__setattr__(self, name, off)
            else:
                object.__setattr__(self, "augmentation", dataclasses.replace(self.augmentation, **{name: off}))

    @property
    def channels(self) -> int:
        """Of the input."""
        return 3 if self.input == "rgb" else 1

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        settings = dataclasses.asdict(self)
        if not self.distillation:
            del settings["distillation"]
        elif not self.distillation.mixed:
            del settings["distillation"]["mixed"]
        for name in ("auxiliary_share", "fused_share"):
            if not settings[name]:
                del settings[name]
        if self.protocol == "clean":
            del settings["protocol"]
        if not self.start:
            del settings["start"]
        for name in SHAPE:
            if settings[name] == getattr(Recipe, name):
                del settings[name]
        for name in ("draw_labels", "symmetric"):
            if not settings[name]:
                del settings[name]
        return settings


def _refuse_unless_default(owner: Recipe | Augmentation, name: str, off: Any, reason: str) -> None:
    value = getattr(owner, name)
    if value not in (off, settings_of(type(owner))[name].default):
        refuse_without_effect(name, value, reason)


def without_effect(settings: Mapping[str, Any]) -> dict[str, tuple[Any, str]]:
    """Return which settings of a recipe cannot act beside the others.

    Args:
        settings: those of `Recipe`, by their names.

    Returns:
        Option -> (what it holds then, why).
    """
    rules = (
        ("weight_decay", 0.0, settings["optimizer"] == "adam", "`optimizer` adam has none; adamw does"),
        ("warmup_epochs", 0.0, settings["schedule"] != "cosine", "only `schedule` cosine warms up"),
        ("patience", 0, not settings["holdout"], "it watches the held-out part; give a `holdout` above 0"),
        *((name, 0.0, settings["input_contrast"] != "none", "`input_contrast` undoes it") for name in UNDONE),
    )
    return {name: (off, reason) for name, off, idle, reason in rules if idle}


SETTINGS = {said.name: said for part in (Recipe, Augmentation, Distillation) for said in settings_of(part).values()}
"""All settings of a recipe by their names, in the order of their help."""


def make_recipe(settings: Mapping[str, Any], *, taught: bool) -> Recipe:
    """Return the recipe that has `settings`, by their names; those that cannot act are off.

    Args:
        settings: the others are at their defaults.
        taught: whether there are teachers.

    Raises:
        ConfigError: as `Recipe` does.
    """
    values = {**{name: said.default for name, said in SETTINGS.items()}, **settings}
    values |= {name: off for name, (off, _) in without_effect(values).items()}
    return Recipe(
        **fields_from(Recipe, values),
        augmentation=Augmentation(**fields_from(Augmentation, values)),
        distillation=Distillation(**fields_from(Distillation, values)) if taught else None,
    )
