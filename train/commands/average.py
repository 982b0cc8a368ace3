"""``fer-edge average``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from fer_edge.commands.types import ModelPath
from fer_edge.train.commands.options import DATA_OPTION


class SharedModel(click.ParamType[tuple[Path, float]]):
    """A ``MODEL`` or ``MODEL:SHARE``, as a file and a number above 0; 1 where none is given."""

    name = "MODEL[:SHARE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Path, float]:
        """Return the file that `value` names, and its share."""
        if isinstance(value, tuple):
            return value
        name, colon, number = str(value).rpartition(":")
        if not colon or Path(value).is_file():
            return ModelPath().convert(value, param, ctx), 1.0
        try:
            share = float(number)
        except ValueError:
            return ModelPath().convert(value, param, ctx), 1.0
        if not 0 < share < math.inf:
            self.fail(f"'{value}': expected a share above 0, found {number}", param, ctx)
        return ModelPath().convert(name, param, ctx), share


@click.command()
@click.argument("models", nargs=-1, required=True, type=SharedModel(), metavar="MODEL[:SHARE]...")
@DATA_OPTION
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The model.keras to write.")
def average(models: tuple[tuple[Path, float], ...], data: str, out: Path) -> None:
    """Write the model whose weights are the mean of those of several MODELs.

    They are .keras or int8 .tflite files, or shipped models, of one network that began with the same weights, such as
    runs that continue a shipped model under other settings. Images of DATA's Training split give batch norm its
    statistics.
    """
    if len(models) < 2:
        raise click.UsageError("expected two models or more to average, found one")
    if out.suffix != ".keras":
        raise click.BadParameter(f"'{out}': expected a name that ends in .keras", param_hint="--out")
    if not out.resolve().parent.is_dir():
        raise click.BadParameter(f"'{out}': its folder does not exist; make it first", param_hint="--out")
    from fer_edge.model_file import read_info
    from fer_edge.preprocess import normalise
    from fer_edge.train.data.duplicates import training_without_leaks
    from fer_edge.train.data.load import load_dataset
    from fer_edge.train.loop.run_folder import save_model
    from fer_edge.train.model_average import Member, average_models

    contrast = read_info(models[0][0]).contrast
    training = training_without_leaks(load_dataset(data))
    averaged = average_models([Member(*model) for model in models], normalise(training.images, contrast))
    save_model(averaged.model, out, averaged.info)
    click.echo(str(out))
