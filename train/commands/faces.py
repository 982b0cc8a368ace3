"""``fer-edge train --model face``: the networks of the face detector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from fer_edge.commands.logs import Logs

FACE = "face"
"""What ``--model`` calls the pair."""
TAKEN = ("data", "model", "out", "resume", "seed", "as_json")
"""Parameters of ``fer-edge train`` that the face detector's training has; the others are about expressions."""


def train_faces(context: click.Context, as_json: bool) -> None:
    """Train the pair, and print how it does on the held-out images."""
    _refuse_others(context, TAKEN, "--model face takes")
    import dataclasses
    import json

    from fer_edge.train.faces.evaluate import table
    from fer_edge.train.faces.run import Plan, train_face_detector

    asked = context.params
    with Logs(verbose=1).heard():  # hours without a word would look like a hang
        rows = train_face_detector(Path(asked["data"]), asked["out"], Plan(asked["seed"]), resume=asked["resume"])
    click.echo(json.dumps([dataclasses.asdict(row) for row in rows]) if as_json else table(rows))


def are_face_networks(models: Sequence[Path]) -> bool:
    """Return whether all models are networks of the face detector, which are measured together."""
    from fer_edge.model_file import read_info
    from fer_edge.shipped import FACE_PREFIX

    return all(read_info(model).name.startswith(FACE_PREFIX) for model in models)


def evaluate_faces(
    context: click.Context, models: Sequence[Path], data: str, plots: Path | None, as_json: bool
) -> None:
    """Print how a pair does on the held-out images of a face data set."""
    _refuse_others(context, ("models", "data", "plots", "as_json"), "face networks take")
    import dataclasses
    import json

    from fer_edge.train.faces.evaluate import table
    from fer_edge.train.faces.run import evaluate_files

    rows = evaluate_files(models, Path(data), plots)
    click.echo(json.dumps([dataclasses.asdict(row) for row in rows]) if as_json else table(rows))


def _refuse_others(context: click.Context, taken: Sequence[str], who: str) -> None:
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name not in taken
        and context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"{who} no {', '.join(sorted(given))}; leave it out")
