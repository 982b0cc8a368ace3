"""``fer-edge train --model face``: the networks of the face detector."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

FACE = "face"
"""What ``--model`` calls the pair."""
TAKEN = ("data", "model", "out", "resume", "seed", "as_json")
"""Parameters of ``fer-edge train`` that the face detector's training has; the others are about expressions."""


def train_faces(context: click.Context, data: str, out: Path, seed: int, resume: bool, as_json: bool) -> None:
    """Train the pair, and print how it does on the held-out images."""
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name not in TAKEN
        and context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"--model face takes no {', '.join(sorted(given))}; leave it out")
    import dataclasses
    import json
    import logging

    from fer_edge.train.faces.evaluate import table
    from fer_edge.train.faces.run import Plan, train_face_detector

    logging.getLogger("fer_edge.train.faces").setLevel(logging.INFO)
    rows = train_face_detector(Path(data), out, Plan(seed), resume=resume)
    click.echo(json.dumps([dataclasses.asdict(row) for row in rows]) if as_json else table(rows))
