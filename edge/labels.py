"""The seven expressions of FER2013, in the data set's own order: other names, colours, and how common they are."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_edge.errors import ConfigError, ModelFileError
from fer_edge.text import label_text

if TYPE_CHECKING:
    from fer_edge.model_file import ModelInfo

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""Class names; the index is FER2013's ``emotion`` number (Goodfellow et al. 2013, arXiv:1307.0414)."""

SYNONYMS = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}
"""Folder names met in the wild, lower case, and the class they mean here."""


def canonical(name: str) -> str:
    """Return the class name meant by a folder or label name: see `label_text`; lower case, synonyms resolved."""
    name = label_text(label_text(name).lower())  # what is lower case may need to be composed again
    return SYNONYMS.get(name, name)


ON_DARK = {
    "angry": "#f74709",
    "disgust": "#70e3a9",
    "fear": "#b2a4f7",
    "happy": "#ebc827",
    "sad": "#0c87e1",
    "surprise": "#d78799",
    "neutral": "#e6effc",
}
"""Each expression's colour on a dark ground: the labels in pictures, the live page on a dark screen.

These and `ON_LIGHT` were searched for so that any two differ also for people who do not see red, green or blue apart
(tests/edge/test_labels.py measures it). No colour says anything alone: the label's name always stands beside it.
"""
OTHER_ON_DARK = "#63c9bf"
"""Of a label that is none of the seven."""

ON_LIGHT = {
    "angry": "#830604",
    "disgust": "#367241",
    "fear": "#7b28ad",
    "happy": "#b48634",
    "sad": "#3b83ff",
    "surprise": "#f34d9e",
    "neutral": "#39404a",
}
"""The same on a light ground: the live page on a light screen, and plots."""
OTHER_ON_LIGHT = "#0f6b66"

FER2013_COUNTS = {
    "angry": 3995,
    "disgust": 436,
    "fear": 4097,
    "happy": 7215,
    "sad": 4830,
    "surprise": 3171,
    "neutral": 4965,
}
"""Images of each expression in Training of FER2013."""

PRIOR_FORM = "uniform, fer2013, LABEL=SHARE,... or a JSON file of {label: share}"


def assumed_prior(info: ModelInfo) -> dict[str, float] | None:
    """Return how common a model takes each class to be: label -> share, which sum to 1; None where it is not known.

    A converted file says so. Of one that does not, and was trained on FER2013's labels, it is FER2013's, as far as
    neither training's class weighting nor conversion's logit adjustment took it back.
    """
    stated = info.conversion.get("prior")
    if isinstance(stated, Mapping):
        if not stated:  # converted with other data than it was trained on
            return None
        return _shares(stated, info.labels, f"the prior of {info.name}")
    data, recipe = (info.training.get(part) for part in ("data", "recipe"))
    if not isinstance(data, Mapping) or data.get("name") != "fer2013.csv" or set(info.labels) != set(FER2013_COUNTS):
        return None
    weighting = recipe.get("class_weighting") if isinstance(recipe, Mapping) else None
    adjustment = info.conversion.get("logit_adjustment")
    taken_back = [0.0 if value is None else value for value in (weighting, adjustment)]
    if not all(isinstance(value, (int, float)) and 0 <= value <= 1 for value in taken_back):
        return None
    power = 1.0 - sum(taken_back)
    return _shares({label: FER2013_COUNTS[label] ** power for label in info.labels}, info.labels, "FER2013")


def prior_weights(info: ModelInfo, prior: str) -> tuple[float, ...]:
    """Return the factor on each probability of a model, in the order of its labels, that gives it another prior.

    Multiplied by them and scaled to sum 1, probabilities are those of a world in which classes are as common as `prior`
    says (Saerens et al. 2002, Neural Computation 14).

    Args:
        info: of the model.
        prior: see `PRIOR_FORM`.

    Raises:
        ConfigError: `prior` is none, or does not name the model's labels.
        ModelFileError: it is not known which prior the model assumes.
    """
    wanted = _wanted_prior(prior, info.labels)
    assumed = assumed_prior(info)
    if assumed is None:
        raise ModelFileError(
            f"{info.name}: expected a file that says which prior it assumes, for `prior`; found none: convert the "
            "model again with the data that it was trained on"
        )
    return tuple(wanted[label] / assumed[label] for label in info.labels)


def _wanted_prior(prior: str, labels: Sequence[str]) -> dict[str, float]:
    if prior == "uniform":
        return dict.fromkeys(labels, 1 / len(labels))
    if prior == "fer2013":
        return _shares(FER2013_COUNTS, labels, "FER2013")
    if "=" in prior:
        shares: Any = {}
        for part in prior.split(","):
            label, _, share = part.partition("=")
            if label.strip() in shares:
                raise ConfigError("prior", f"`prior` '{prior}': expected each class once, found {label.strip()} again")
            shares[label.strip()] = share
    else:
        try:
            shares = json.loads(Path(prior).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError("prior", f"`prior` '{prior}': expected {PRIOR_FORM}; cannot read it ({error})") from error
    return _shares(shares, labels, f"`prior` '{prior}'")


def _shares(given: object, labels: Sequence[str], origin: str) -> dict[str, float]:
    """Return label -> share, scaled to sum 1; raises ConfigError unless there is a positive one for every label."""
    if not isinstance(given, Mapping) or {canonical(str(name)) for name in given} != set(labels):
        raise ConfigError(
            "prior", f"{origin}: expected a share for each of {', '.join(labels)}, and for no other class"
        )
    if len(given) > len(labels):
        raise ConfigError("prior", f"{origin}: expected one name for each class, found {', '.join(map(str, given))}")
    shares = {}
    for name, value in given.items():
        try:
            shares[canonical(str(name))] = float(value)
        except (TypeError, ValueError):
            shares[canonical(str(name))] = math.nan
    if not all(0 < share < math.inf for share in shares.values()):
        raise ConfigError("prior", f"{origin}: expected shares above 0, found {', '.join(map(str, given.values()))}")
    total = sum(shares.values())
    return {label: shares[label] / total for label in labels}
