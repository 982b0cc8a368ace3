"""``fer-edge evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fer_edge.commands.types import ModelPath
from fer_edge.commands.usage import as_usage_error
from fer_edge.train.commands.faces import are_face_networks, evaluate_faces
from fer_edge.train.commands.options import DATA_OPTION, FACES, FERPLUS, MAP

if TYPE_CHECKING:
    from fer_edge.train.evaluate.comparison import Comparison
    from fer_edge.train.evaluate.report import Report


@click.command()
@click.argument("models", nargs=-1, required=True, type=ModelPath(), metavar="MODEL...")
@DATA_OPTION
@FERPLUS
@MAP
@FACES
@click.option("--split", default="PublicTest", show_default=True, help="Measure on this split.")
@click.option("--ensemble", is_flag=True, help="Average several models instead of comparing them.")
@click.option(
    "--robustness", is_flag=True, help="Measure under shift, scale, rotation, blur, noise, light, JPEG and cover too."
)
@click.option("--mirror", is_flag=True, help="Average each image with its mirror image too, and report it apart.")
@click.option(
    "--prior",
    metavar="PRIOR",
    show_default="the model's",
    help="How common classes are: uniform, fer2013, LABEL=SHARE,... or a JSON file of {label: share}.",
)
@click.option("--plots", type=click.Path(file_okay=False, path_type=Path), help="Draw PNG plots into this folder.")
@click.option(
    "--predictions",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a CSV file of what each model says of each image.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def evaluate(
    context: click.Context,
    /,
    models: tuple[Path, ...],
    data: str,
    mapping: tuple[tuple[str, str], ...],
    ensemble: bool,
    predictions: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure a .keras or .tflite MODEL (a file or a shipped model's name) on a split of --data.

    Both kinds see the same pictures through the same preprocessing as on the device. Several models are
    compared with the first, on the same images. --plots draws the confusion matrix and the worst mistakes.

    A face-proposer and a face-refiner are measured together, on the images of --data that their training holds out.
    Their --plots are curves of precision and recall, and the worst misses and false faces.
    """
    if are_face_networks(models):
        evaluate_faces(context, models, data, options["plots"], as_json)
        return
    if ensemble and len(models) < 2:
        raise click.UsageError("--ensemble averages several models; give two or more")
    from fer_edge.files import check_writable
    from fer_edge.train import api

    if predictions:
        check_writable(predictions)  # before minutes of measuring
    options["mapping"] = dict(mapping)
    if len(models) > 1 and not ensemble:
        with as_usage_error():
            comparison = api.compare(models, data, **options)
        _say(comparison, comparison.reports, comparison.names, predictions, as_json)
    else:
        with as_usage_error():
            report = api.evaluate(models, data, **options)
        _say(report, [report], [" + ".join(path.name for path in report.models)], predictions, as_json)


def _say(found: Report | Comparison, reports: Any, names: Any, predictions: Path | None, as_json: bool) -> None:
    """Print what was found, and write what the models say of each image."""
    for note in found.notes:
        click.echo(f"NOTE: {note}", err=True)
    for warning in found.warnings:
        click.echo(f"WARNING: {warning}", err=True)
    if predictions:
        from fer_edge.train.evaluate.predictions import write_predictions

        write_predictions(reports, names, predictions)
    click.echo(json.dumps(found.to_dict()) if as_json else found.to_text())
