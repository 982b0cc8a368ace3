"""Arguments that several commands share."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from fer_edge.train.commands.types import DataSpec, LabelMapping, check_mapping
from fer_edge.train.data.spec import AUTO
from fer_edge.train.data.spec import FACES as FACE_CHOICES
from fer_edge.train.recipe import LARGEST_SEED


class Finite(click.FloatRange):
    """A `click.FloatRange`, which lets "nan" and "inf" pass, without them."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        """Return the number."""
        number = super().convert(value, parameter, context)
        if not math.isfinite(number):
            self.fail(f"{value} is no finite number.", parameter, context)
        return number


HELP = "A fer2013.csv, a folder or zip of pictures, 'demo', or several joined with '+'."
DATA = click.argument("data", type=DataSpec())
DATA_OPTION = click.option("--data", required=True, type=DataSpec(), help=HELP)
FERPLUS = click.option(
    "--ferplus",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="FER+ votes (fer2013new.csv) that relabel the fer2013.csv to eight classes.",
)
MAP = click.option(
    "--map",
    "mapping",
    multiple=True,
    type=LabelMapping(),
    callback=check_mapping,
    help="Rename or join a class: contempt=disgust; contempt= leaves it out. May be repeated.",
)
FACES = click.option(
    "--faces",
    default=AUTO,
    show_default=True,
    type=click.Choice(FACE_CHOICES),
    help="Cut the largest face out of each picture, turn it upright too, take pictures as they are, or find out.",
)
SEED = click.IntRange(0, LARGEST_SEED)
