"""``fer-edge doctor``."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import click

from fer_edge.commands.types import ModelPath
from fer_edge.device.commands.options import source_option
from fer_edge.machine import describe_machine
from fer_edge.shipped import DEFAULT, shipped_models

WIDEST = 110
"""Columns; longer lines are hard to read on a wide terminal."""


@click.command()
@click.option("--model", type=ModelPath(), help=f"A shipped model, or an int8 .tflite file.  [default: {DEFAULT}]")
@source_option("Pictures to try, as in 'run'. Default: the camera that is found.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(ctx: click.Context, model: Path | None, source: str | None, as_json: bool) -> None:
    """Check whether this device is ready; say what mends it.

    Looks at the system, the packages, the model, the camera, the processor, power and heat. Changes nothing. Exit
    status 0 if nothing is a problem, 1 otherwise.
    """
    from fer_edge.device.doctor.checks import all_checks, examine
    from fer_edge.device.doctor.report import is_ready, to_text, verdict
    from fer_edge.device.doctor.system import System

    checks = all_checks(System.here(), model or shipped_models().get(DEFAULT), source)
    name_width = max(map(len, checks))
    width = min(shutil.get_terminal_size().columns, WIDEST)
    findings = []
    for finding in examine(checks):
        findings.append(finding)
        if not as_json:
            # One by one: a camera that hangs takes most of a minute.
            click.echo(to_text(finding, name_width, width, sys.stdout.encoding))
    if as_json:
        document = {
            "ok": is_ready(findings),
            "findings": [dataclasses.asdict(finding) for finding in findings],
            "machine": describe_machine(),
        }
        click.echo(json.dumps(document, indent=1))
    else:
        click.echo(f"\n{verdict(findings)}")
    if not is_ready(findings):
        ctx.exit(1)
