"""``fer-edge data``: look at a data set before training on it; cut faces out of photos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from fer_edge.commands.modes import umask_option
from fer_edge.commands.usage import as_usage_error
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.commands.options import DATA, FACES, FERPLUS, MAP
from fer_edge.train.commands.settings import given_by_hand, setting_options
from fer_edge.train.recipe import SETTINGS
from fer_edge.train.settings import settings_of

PNG = click.Path(dir_okay=False, path_type=Path)
SHOWN = [SETTINGS["seed"], SETTINGS["input_contrast"], *settings_of(Augmentation).values()]
"""Settings of a training that decide what the augmented images look like."""


@click.group()
def data() -> None:
    """Inspect a data set; preview its augmented images; cut faces out of photos."""


@data.command()
@DATA
@FERPLUS
@MAP
@FACES
@click.option("--plots", type=click.Path(file_okay=False, path_type=Path), help="Draw PNG plots into this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def inspect(
    data: str,
    ferplus: Path | None,
    mapping: tuple[tuple[str, str], ...],
    faces: str,
    plots: Path | None,
    as_json: bool,
) -> None:
    """Report counts per class, split and source, duplicates, leaks between splits, label conflicts and blank images."""
    from fer_edge.train.data.load import load_dataset
    from fer_edge.train.evaluate.inspection import inspect_dataset

    inspection = inspect_dataset(load_dataset(data, ferplus, mapping=dict(mapping), faces=faces))
    if plots:
        inspection.draw(plots)
    click.echo(json.dumps(inspection.to_dict()) if as_json else inspection.to_text())


@data.command()
@click.argument("photos", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Write into this new folder."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@umask_option
def crop(photos: Path, out: Path, as_json: bool) -> None:
    """Cut the largest face out of each photo of a folder or zip, as --faces crop does, and keep it as PNG.

    The folders of PHOTOS are kept, so that --out can be looked through and trained on. faces.csv in it lists every
    photo with its number of faces.
    """
    from fer_edge.train.data.photos.crops import LIST, crop_photos
    from fer_edge.train.evaluate.inspection import listed

    done = crop_photos(photos, out)
    if as_json:
        click.echo(json.dumps({**vars(done), "out": str(done.out)}))
        return
    click.echo(f"{done.crops} faces in {out}, every photo in {out / LIST}")
    for title, files in (("photos without a face", done.without), ("photos with several faces", done.several)):
        for line in listed(title, files):
            click.echo(line)


@data.command()
@DATA
@FERPLUS
@MAP
@FACES
@click.option("--out", required=True, type=PNG, help="Write this PNG file.")
@setting_options(SHOWN)
@click.pass_context
def preview(
    context: click.Context,
    /,
    data: str,
    ferplus: Path | None,
    mapping: tuple[tuple[str, str], ...],
    faces: str,
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
    dataset = load_dataset(data, ferplus, mapping=dict(mapping), faces=faces)
    draw_preview(dataset, recipe.augmentation, recipe.contrast, recipe.seed, out)
    click.echo(out)
