"""``fer-edge fleet`` and ``fer-edge deploy --fleet``."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fer_edge.errors import DeployError

if TYPE_CHECKING:
    from fer_edge.device.deploy.fleet.inventory import Fleet, Member
    from fer_edge.device.deploy.host import HostResult

TAKEN = ("wheel", "wheelhouse", "ssh_config", "dry_run", "only_model")
"""Options of ``fer-edge deploy`` that go with ``--fleet``; the file has the others."""

fleet_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
ssh_option = click.option(
    "--ssh-config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Use this ssh configuration instead of your own.",
)


@click.group()
def fleet() -> None:
    """Look after several machines: FILE is a fleet.yaml with their hosts, models and options."""


@fleet.command()
@fleet_argument
@ssh_option
@click.option("--json", "as_json", is_flag=True, help="Print the answers as JSON.")
@click.pass_context
def status(ctx: click.Context, file: Path, ssh_config: Path | None, as_json: bool) -> None:
    """Ask all machines how they are: version, model, health, temperature, frames per second.

    The exit status is 1 if a machine cannot be reached or its service is not active.
    """
    from fer_edge.device.deploy.fleet.inventory import read_fleet
    from fer_edge.device.deploy.fleet.status import ask_all, to_json, to_table

    answers = ask_all(read_fleet(file), ssh_config)
    click.echo(json.dumps(to_json(answers), indent=1) if as_json else to_table(answers))
    if not all(answer.ok for answer in answers):
        ctx.exit(1)


@fleet.command()
@fleet_argument
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file, which Prometheus reads again when it changes. The default is standard output.",
)
def targets(file: Path, out: Path | None) -> None:
    """List the machines for Prometheus, as its file-based service discovery reads them."""
    from fer_edge.device.deploy.fleet.inventory import read_fleet
    from fer_edge.device.deploy.fleet.targets import to_targets
    from fer_edge.files import write_result

    text = to_targets(read_fleet(file))
    if out:
        write_result(out, text.encode())
    else:
        click.echo(text, nl=False)


def deploy_fleet(file: Path, options: Mapping[str, Any], as_json: bool) -> None:
    """Do ``fer-edge deploy --fleet FILE`` with the other options of the command."""
    from fer_edge.device.deploy.fleet import at_once
    from fer_edge.device.deploy.fleet.inventory import read_fleet
    from fer_edge.device.deploy.fleet.rollout import roll_out

    # Those that are not given are None, empty or, of the path, the default.
    if clash := [name for name, value in options.items() if name not in (*TAKEN, "path") and value]:
        named = ", ".join("hosts" if name == "hosts" else f"--{name.replace('_', '-')}" for name in clash)
        raise click.UsageError(f"--fleet takes these from its file: {named}; leave them out")
    members = read_fleet(file)
    if options["only_model"]:
        _check_only_model(file, members, options)

    def stage(now: list[Member]) -> None:
        click.echo(f"== {', '.join(member.host for member in now)}", err=True)

    with tempfile.TemporaryDirectory() as folder:
        wheel = None if options["only_model"] else make_wheel(options["wheel"], Path(folder))

        def deploy(now: list[Member]) -> list[HostResult]:
            return at_once.deploy_members(
                now,
                wheel,
                options["wheelhouse"],
                config=options["ssh_config"],
                dry_run=options["dry_run"],
                report=report_step,
            )

        results = roll_out(members, deploy, stage)
    if as_json:
        click.echo(json.dumps(at_once.to_json(results), indent=1))
    else:
        click.echo(at_once.to_plan(results) if options["dry_run"] else at_once.to_table(results))
    raise_errors(results)


def _check_only_model(file: Path, fleet: Fleet, options: Mapping[str, Any]) -> None:
    if clash := next((name for name in ("wheel", "wheelhouse") if options[name]), None):
        raise click.UsageError(f"--only-model sends models and takes no --{clash}; leave one out")
    if without := next((member for member in fleet.members if member.model is None), None):
        raise DeployError(
            f"{file}: --only-model sends models, found none for {without.host}; add the key 'model' to the group "
            f"{without.group}, or at the top for all"
        )


def make_wheel(given: Path | None, folder: Path) -> Path:
    """Return the wheel that was given, or make one in `folder`."""
    from fer_edge.device.deploy.wheel import check_wheel, provide_wheel

    if given:
        check_wheel(given)
        return given
    click.echo("making the wheel ...", err=True)
    return provide_wheel(folder)


def raise_errors(results: Sequence[HostResult]) -> None:
    """Print the errors of all machines, the last one by raising it."""
    failed = [result for result in results if not result.ok]
    for result in failed[:-1]:
        click.echo(f"Error: {result.host}: {result.error}", err=True)
    if failed:
        raise DeployError(f"{failed[-1].host}: {failed[-1].error}")


def report_step(host: str, step: str, state: str) -> None:
    """Say that a step began or ended."""
    # On a terminal each step's beginning shows as well; a log has enough of the ends.
    if state != "..." or sys.stderr.isatty():
        click.echo(f"{host}: {step} {state}", err=True)
