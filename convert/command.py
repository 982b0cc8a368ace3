"""``fer-edge convert``."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
from click.core import ParameterSource

from fer_edge.lazy import require
from fer_edge.quiet import native_stderr_held
from fer_edge.train.commands.options import DATA_OPTION, FERPLUS, MAP, SEED

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("model", type=FILE, metavar="MODEL.keras")
@click.option("--int8", is_flag=True, help="Write a verified int8 file for a device.")
@click.option("--float", "is_float", is_flag=True, help="Write a float32 file to compare with.")
@DATA_OPTION
@FERPLUS
@MAP
@click.option("--out", required=True, type=NEW_FILE, help="The .tflite file to write.")
@click.option(
    "--qat-epochs",
    default=3,
    show_default=True,
    type=click.IntRange(0),
    help="Quantization-aware fine-tuning; 0 quantizes after training.",
)
@click.option("--seed", default=1, show_default=True, type=SEED, help="Of calibration and fine-tuning.")
@click.option("--report", type=NEW_FILE, show_default="OUT.report.json", help="Where the JSON report goes.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def convert(
    context: click.Context,
    model: Path,
    int8: bool,
    is_float: bool,
    data: str,
    ferplus: Path | None,
    mapping: tuple[tuple[str, str], ...],
    out: Path,
    qat_epochs: int,
    seed: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """Turn a trained MODEL.keras into a verified TFLite file.

    The images of DATA's Training split calibrate and fine-tune; those of PublicTest only measure what the
    conversion changed. A file that is not int8 throughout is refused, and nothing is written.
    """
    if int8 == is_float:
        raise click.UsageError("give either --int8 (for a device) or --float (to compare with)")
    if is_float and context.get_parameter_source("qat_epochs") is not ParameterSource.DEFAULT:
        raise click.UsageError("--qat-epochs belongs to --int8; a float file is not quantized")
    if out.suffix != ".tflite":
        raise click.BadParameter(f"'{out}': expected a name that ends in .tflite", param_hint="--out")
    report = report or out.with_name(f"{out.name}.report.json")
    if report.resolve() in (out.resolve(), model.resolve()):
        raise click.BadParameter(f"'{report}' is the model itself", param_hint="--report")

    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the model was trained on, TensorFlow exports TFLite
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with native_stderr_held():
        require("tensorflow", "train")
    from fer_edge.convert.pipeline import Settings, convert_model, prepare
    from fer_edge.convert.report import print_report
    from fer_edge.train.data.load import load_dataset
    from fer_edge.train.evaluate.evaluation import leak_warnings

    job = prepare(model, out, report, Settings(int8, qat_epochs, seed))
    result = convert_model(job, load_dataset(data, ferplus, mapping=dict(mapping)))
    for warning in leak_warnings([model]):
        click.echo(f"WARNING: {warning}", err=True)
    if as_json:
        click.echo(json.dumps(result.to_dict()))
    else:
        print_report(result)
