"""Arguments that several commands share."""

from __future__ import annotations

import click

from fer_edge.train.data.spec import DataSpec

HELP = "A fer2013.csv, a folder export, or 'demo'."
DATA = click.argument("data", type=DataSpec())
DATA_OPTION = click.option("--data", required=True, type=DataSpec(), help=HELP)
