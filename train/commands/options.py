"""Arguments that several commands share."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from fer_edge.train.commands.types import DataSpec, LabelMapping, check_mapping

HELP = "A fer2013.csv, a folder or zip of pictures, 'demo', or several joined with '+'."
DATA = click.argument("data", type=DataSpec())
DATA_OPTION = click.option("--data", required=True, type=DataSpec(), help=HELP)
FERPLUS = click.option(
    "--ferplus",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="FER+ votes (fer2013new.csv) that relabel the fer2013.csv to eight classes.",
)
FERPLUS_TARGET = click.option(
    "--ferplus-target",
    type=click.Choice(["majority", "probability", "cross-entropy"]),
    show_default="cross-entropy",
    help="What is learned of the votes: the majority's class, one drawn from them every epoch, or their shares.",
)
MAP = click.option(
    "--map",
    "mapping",
    multiple=True,
    type=LabelMapping(),
    callback=check_mapping,
    help="Rename or join a class: contempt=disgust; contempt= leaves it out. May be repeated.",
)


SEED = click.IntRange(0, 2_000_000_000)
"""Keras on PyTorch keeps a seed in 31 bits, and the layers of the augmentation count on from the one given."""


class Finite(click.FloatRange):
    """A `click.FloatRange`, which lets "nan" and "inf" pass, without them."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        """Return the number."""
        number = super().convert(value, parameter, context)
        if not math.isfinite(number):
            self.fail(f"{value} is no finite number.", parameter, context)
        return number


SHARE = Finite(0, 1, max_open=True)
POSITIVE = Finite(0, min_open=True)
NOT_NEGATIVE = Finite(0)
