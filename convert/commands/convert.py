"""``fer-edge convert``."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from fer_edge.commands.usage import as_usage_error
from fer_edge.convert import api
from fer_edge.convert.config import COLOURS, MAX_TEMPERATURE, MIN_TEMPERATURE, QAT_EPOCHS, SCALES
from fer_edge.lazy import require
from fer_edge.train.commands.options import DATA_OPTION, FACES, FERPLUS, MAP, SEED, Finite

NETWORK = click.Path(exists=True, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("model", type=NETWORK)
@click.option("--int8", is_flag=True, help="Write a verified int8 file for a device.")
@click.option("--float", "is_float", is_flag=True, help="Write a float32 file to compare with.")
@DATA_OPTION
@FERPLUS
@MAP
@FACES
@click.option("--out", required=True, type=NEW_FILE, help="The .tflite file to write.")
@click.option(
    "--qat-epochs",
    show_default=str(QAT_EPOCHS),
    type=click.IntRange(0),
    help="Quantization-aware fine-tuning; 0 quantizes after training.",
)
@click.option("--seed", default=1, show_default=True, type=SEED, help="Of calibration and fine-tuning.")
@click.option(
    "--logit-adjustment",
    default=0.0,
    show_default=True,
    type=Finite(0, 1),
    help="Divide each probability by this power of its class's share in Training: 1 takes all as equally common.",
)
@click.option(
    "--temperature",
    default=1.0,
    show_default=True,
    type=Finite(MIN_TEMPERATURE, MAX_TEMPERATURE),
    help="Divide logits by this number before that; below 1 the file is surer than the model.",
)
@click.option(
    "--upright", is_flag=True, help="Have a device turn crops upright, framed by eyes and mouth where it finds them."
)
@click.option(
    "--labels", metavar="NAMES|FILE", help="Name the outputs of another network, in their order: angry,happy,..."
)
@click.option(
    "--input", type=click.Choice(COLOURS), help="Show another network grey or RGB crops; its channels say else."
)
@click.option("--scale", type=click.Choice(SCALES), help="Scale pixels so for a network without a Rescaling layer.")
@click.option(
    "--micro",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write sources for a microcontroller as well.",
)
@click.option("--report", type=NEW_FILE, show_default="OUT.report.json", help="Where the JSON report goes.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def convert(
    model: Path, int8: bool, is_float: bool, mapping: tuple[tuple[str, str], ...], as_json: bool, **options: Any
) -> None:
    """Turn a trained MODEL into a verified TFLite file.

    MODEL is a .keras file of fer-edge train, or another network: a .keras or .h5 file or a SavedModel folder, with
    --labels.

    The images of DATA's Training split calibrate and fine-tune; those of PublicTest only measure what the
    conversion changed. A file that is not int8 throughout is refused, and nothing is written.
    """
    if int8 == is_float:
        raise click.UsageError("give either --int8 (for a device) or --float (to compare with)")
    from fer_edge.convert.foreign.told import is_foreign
    from fer_edge.model_file import read_info
    from fer_edge.shipped import FACE_PREFIX

    if find_spec("tensorflow") is None:
        require("tensorflow", "train")  # says what to install before anything else is wrong
    foreign = is_foreign(model)
    if not foreign and read_info(model).name.startswith(FACE_PREFIX):
        _convert_face_network(model, as_json, **{name: options[name] for name in ("data", "out", "report", "seed")})
        return
    with as_usage_error():
        report = api.convert(model, int8=int8, mapping=dict(mapping), **options)
    from fer_edge.convert.report import print_report
    from fer_edge.train.evaluate.evaluation import leak_warnings

    for warning in [] if foreign else leak_warnings([model]):
        click.echo(f"WARNING: {warning}", err=True)
    if as_json:
        click.echo(json.dumps(report.to_dict()))
    else:
        print_report(report)


FACE_OPTIONS = ("model", "int8", "data", "out", "report", "seed", "as_json")
"""Parameters that the conversion of a face network has; the others are about expressions, or float files."""


def _convert_face_network(model: Path, as_json: bool, *, data: str, out: Path, report: Path | None, seed: int) -> None:
    context = click.get_current_context()
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name not in FACE_OPTIONS
        and context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"a face network takes --int8 alone: no {', '.join(sorted(given))}")
    from fer_edge.convert.faces import convert_face_file

    found = convert_face_file(model, Path(data), out, report or out.with_name(f"{out.name}.report.json"), seed)
    click.echo(json.dumps(found) if as_json else f"{out}: {found['file_bytes']:,} bytes, int8 throughout")
