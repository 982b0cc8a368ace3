"""``fer-edge evaluate``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fer_edge.commands.types import ModelPath
from fer_edge.train.commands.faces import are_face_networks, evaluate_faces
from fer_edge.train.commands.options import DATA_OPTION, FERPLUS, MAP


@click.command()
@click.argument("models", nargs=-1, required=True, type=ModelPath(), metavar="MODEL...")
@DATA_OPTION
@FERPLUS
@MAP
@click.option("--split", default="PublicTest", show_default=True, help="Measure on this split.")
@click.option(
    "--robustness", is_flag=True, help="Measure under shift, scale, rotation, blur, noise, light, JPEG and cover too."
)
@click.option("--mirror", is_flag=True, help="Average each image with its mirror image too, and report it apart.")
@click.option("--plots", type=click.Path(file_okay=False, path_type=Path), help="Draw PNG plots into this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def evaluate(
    context: click.Context,
    /,
    models: tuple[Path, ...],
    data: str,
    ferplus: Path | None,
    mapping: tuple[tuple[str, str], ...],
    split: str,
    robustness: bool,
    mirror: bool,
    plots: Path | None,
    as_json: bool,
) -> None:
    """Measure a .keras or .tflite MODEL (a file or a shipped model's name) on a split of --data.

    Both kinds see the same pictures through the same preprocessing as on the device. Several models are
    averaged. --plots draws the confusion matrix and the worst mistakes.

    A face-proposer and a face-refiner are measured together, on the images of --data that their training holds out.
    Their --plots are curves of precision and recall, and the worst misses and false faces.
    """
    if are_face_networks(models):
        evaluate_faces(context, models, data, plots, as_json)
        return
    from fer_edge.train import api

    report = api.evaluate(
        models,
        data,
        split=split,
        ferplus=ferplus,
        mapping=dict(mapping),
        robustness=robustness,
        mirror=mirror,
        plots=plots,
    )
    for note in report.notes:
        click.echo(f"NOTE: {note}", err=True)
    for warning in report.warnings:
        click.echo(f"WARNING: {warning}", err=True)
    click.echo(json.dumps(report.to_dict()) if as_json else report.to_text())
