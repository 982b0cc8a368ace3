"""``fer-edge micro``."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from fer_edge.commands.types import ModelPath
from fer_edge.train.commands.types import DataSpec


@click.command()
@click.argument("model", type=ModelPath())
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--data",
    default="demo",
    show_default=True,
    type=DataSpec(),
    help="Compare on these: a fer2013.csv, a folder or zip of pictures, 'demo', or several joined with '+'.",
)
@click.option("--split", default="PublicTest", show_default=True, help="Compare on this split of --data.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def micro(model: Path, folder: Path, data: str, split: str, as_json: bool) -> None:
    """Write the sources of an int8 MODEL for a microcontroller into DIR.

    MODEL is a .tflite file or a shipped model's name. DIR gets C++ with the network, its labels, the operators to
    register and golden outputs, and a README. All is verified with TensorFlow Lite Micro, which measures the arena.
    """
    from fer_edge.convert.micro.api import make_micro

    report = make_micro(model, folder, data, split)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report)))
        return
    for name, value in report.rows():
        click.echo(f"{name:26} {value}")
