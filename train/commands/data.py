"""``fer-edge data``: look at a data set before training on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from fer_edge.commands.usage import as_usage_error
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.commands.options import DATA, FERPLUS, MAP
from fer_edge.train.commands.settings import given_by_hand, setting_options
from fer_edge.train.recipe import SETTINGS
from fer_edge.train.settings import settings_of

PNG = click.Path(dir_okay=False, path_type=Path)
SHOWN = [SETTINGS["seed"], SETTINGS["input_contrast"], *settings_of(Augmentation).values()]
"""Settings of a training that decide what the augmented images look like."""


@click.group()
def data() -> None:
    """Inspect a data set; preview its augmented images."""


@data.command()
@DATA
@FERPLUS
@MAP
@click.option("--plots", type=click.Path(file_okay=False, path_type=Path), help="Draw PNG plots into this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def inspect(
    data: str, ferplus: Path | None, mapping: tuple[tuple[str, str], ...], plots: Path | None, as_json: bool
) -> None:
    """Report counts per class, split and source, duplicates, leaks between splits, label conflicts and blank images."""
    from fer_edge.train.data.load import load_dataset
    from fer_edge.train.evaluate.inspection import inspect_dataset

    inspection = inspect_dataset(load_dataset(data, ferplus, mapping=dict(mapping)))
    if plots:
        inspection.draw(plots)
    click.echo(json.dumps(inspection.to_dict()) if as_json else inspection.to_text())


@data.command()
@DATA
@FERPLUS
@MAP
@click.option("--out", required=True, type=PNG, help="Write this PNG file.")
@setting_options(SHOWN)
@click.pass_context
def preview(
    context: click.Context,
    /,
    data: str,
    ferplus: Path | None,
    mapping: tuple[tuple[str, str], ...],
    out: Path,
    **_: Any,
) -> None:
    """Draw images of each class beside augmented versions of them, as training with the same options sees them."""
    if out.suffix.lower() != ".png":  # matplotlib would choose the format by it, or add it
        raise click.BadParameter(f"'{out}': expected a name that ends in .png", param_hint="--out")
    from fer_edge.train.data.load import load_dataset
    from fer_edge.train.evaluate.preview import draw_preview
    from fer_edge.train.recipe import make_recipe

    with as_usage_error():
        recipe = make_recipe(given_by_hand(context, [setting.name for setting in SHOWN]), taught=False)
    dataset = load_dataset(data, ferplus, mapping=dict(mapping))
    draw_preview(dataset, recipe.augmentation, recipe.contrast, recipe.seed, out)
    click.echo(out)
