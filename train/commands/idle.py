"""Options of ``fer-edge train`` that cannot act beside others: refused where they are given, switched off otherwise."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

UNDONE = ("contrast", "light")
"""Elements of the augmentation that a normalised contrast undoes."""


def refuse_idle(context: click.Context, *, fixed_dropout: bool = False) -> dict[str, Any]:
    """Return the options that cannot act, with the values that say so in the run card.

    `fixed_dropout` says that the network, of a YAML file, has a rate of its own.

    Raises:
        click.UsageError: one of them was given on the command line, and not as this value.
    """
    given = context.params
    normalised = given["contrast_normalisation"] != "none"
    undone = "--input-contrast undoes it"
    no_teacher = None if given["teachers"] else "there is no --teacher"
    reasons: dict[str, tuple[Any, str | None]] = {
        "weight_decay": (0.0, "--optimizer adam has none; adamw does" if given["optimizer"] == "adam" else None),
        "warmup_epochs": (0.0, "only --schedule cosine warms up" if given["schedule"] != "cosine" else None),
        "patience": (0, None if given["holdout"] else "it watches the held-out part; give a --holdout above 0"),
        **dict.fromkeys(UNDONE, (0.0, undone if normalised else None)),
        "dropout": (None, "the network fixes its own; take it out of the file" if fixed_dropout else None),
        "auxiliary_share": (0.0, None if given["auxiliary"] else "there is no --auxiliary-ferplus"),
        "fused_share": (0.0, None if given["fused"] else "there is no --fused-ferplus"),
        "teacher_share": (None, no_teacher or (None if given["teacher_share"] else "leave --teacher out for that")),
        "temperature": (None, no_teacher),
        "views": (None, no_teacher),
        "mixed_views": (None, no_teacher),
    }
    idle = {name: (value, reason) for name, (value, reason) in reasons.items() if reason}
    for name, (value, reason) in idle.items():
        by_hand = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if by_hand and given[name] != value:
            raise click.UsageError(f"--{name.replace('_', '-')} {given[name]} would do nothing: {reason}")
    return {name: value for name, (value, _) in idle.items() if value is not None}
