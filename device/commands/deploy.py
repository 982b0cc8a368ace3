"""``fer-edge deploy``."""

from __future__ import annotations

import json
import re
import shlex
import tempfile
from pathlib import Path
from typing import Any

import click

from fer_edge.commands.types import ModelPath
from fer_edge.commands.usage import as_usage_error
from fer_edge.device.commands.fleet import deploy_fleet, make_wheel, raise_errors, report_step
from fer_edge.device.deploy.request import FOLDER_FORM, target_folder
from fer_edge.model_file import check_tflite, read_info
from fer_edge.text.address import without_secrets


class HostName(click.ParamType[str]):
    """``USER@HOST``, or a name of the ssh configuration."""

    name = "USER@HOST"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the value as it is."""
        # ssh would take what begins with a dash for an option.
        if not re.fullmatch(r"(?:[\w.][\w.+-]*@)?[\w.:][\w.:%-]*", value, re.ASCII):
            self.fail(f"'{without_secrets(value)}' is no USER@HOST; {_advice(value)}", param, ctx)
        host = value.rpartition("@")[2]
        if host.count(":") == 1:  # an IPv6 address has two or more
            self.fail(f"'{value}' is no USER@HOST; {_advice(value)}", param, ctx)
        return value


def _advice(value: str) -> str:
    """Say what is wrong with a host and how to write it."""
    user, at, host = value.partition("://")[2 if "://" in value else 0].rpartition("@")
    name, colon, port = host.rstrip("/").partition(":")
    right = f"{user.partition(':')[0]}{at}{name}"
    if re.fullmatch(r"\d+", port):
        return f"write 'Host {name}' and 'Port {port}' into ~/.ssh/config, then name {right}"
    if "://" in value:
        return f"it has a scheme; write {right}"
    if ":" in user:
        return f"no password is given here, the login needs a key; write {right}"
    if host.startswith("["):
        return f"write {user}{at}{host.strip('[]')}, without brackets"
    if "/" in host or colon:
        return "the folder on the target is --path"
    return "expected a name or an address, with a user before it where needed"


class TargetFolder(click.ParamType[str]):
    """A folder on the target, absolute or beginning with ``~/``."""

    name = "FOLDER"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the folder without a slash at its end."""
        folder = target_folder(value)
        if folder is None:
            self.fail(f"'{value}' is no folder on the target; expected {FOLDER_FORM}", param, ctx)
        return folder


class RunOptions(click.ParamType[tuple[str, ...]]):
    """Options of ``fer-edge run``, in one word, quoted as for a shell."""

    name = "OPTIONS"

    def convert(
        self, value: str | tuple[str, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the single words."""
        if isinstance(value, tuple):
            return value
        if not value.isprintable():
            self.fail("expected options without control characters", param, ctx)
        try:
            return tuple(shlex.split(value))
        except ValueError as error:
            self.fail(f"they cannot be split into words ({error})", param, ctx)


@click.command()
@click.argument("hosts", nargs=-1, type=HostName(), metavar="USER@HOST...")
@click.option(
    "--model",
    type=ModelPath(),
    help="A shipped model by its name, or an int8 .tflite file. Default: the one that 'run' has.",
)
@click.option("--service", is_flag=True, help="Run it as a systemd service, from now on and at every start.")
@click.option("--run-options", type=RunOptions(), default="", help="Options of 'fer-edge run' for the service.")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A YAML file of options of 'fer-edge run' for the service; --run-options count more.",
)
@click.option(
    "--wheel",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="fer-edge's wheel. Default: built from the checkout that runs here, else downloaded.",
)
@click.option(
    "--wheelhouse",
    type=click.Path(file_okay=False, path_type=Path),
    help="Download what the targets need into this folder and send it along: they need no network.",
)
@click.option("--path", default="~/fer-edge", show_default=True, type=TargetFolder(), help="Folder on the target.")
@click.option(
    "--ssh-config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An ssh configuration instead of your own.",
)
@click.option(
    "--ansible",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write an Ansible playbook that does the same, and its files beside it.",
)
@click.option("--only-model", is_flag=True, help="Send the model alone: a file and a restart of the service.")
@click.option(
    "--fleet",
    "fleet_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Deploy to the hosts of this YAML file: one first, then in batches, and no further than the first failure.",
)
@click.option("--dry-run", is_flag=True, help="Look at the targets and print what would be run there; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def deploy(as_json: bool, **options: Any) -> None:
    """Install fer-edge on Raspberry Pis over ssh, and start it there.

    A name of your ssh configuration will do for USER@HOST; the login must need no password. A new version is
    installed beside the one that runs, tried, and only then switched to; if the service does not stay up, the version
    before comes back. What is already so is not done again.
    """
    from fer_edge.device.commands.config_option import service_options
    from fer_edge.device.deploy.fleet import at_once
    from fer_edge.device.deploy.playbook import write_playbook
    from fer_edge.device.deploy.request import DeployConfig

    fleet_file: Path | None = options.pop("fleet_file")
    if fleet_file:
        deploy_fleet(fleet_file, options, as_json)
        return
    with as_usage_error():
        if path := options.pop("config"):
            words, options["model"] = service_options(path, options["model"])
            options["run_options"] = (*words, *options["run_options"])
        config = DeployConfig(**options)
    if config.ansible and as_json:
        raise click.UsageError("--ansible writes a playbook and takes no --json; leave it out")
    if config.model:
        check_tflite(config.model)
        read_info(config.model)  # refused here, and not by every target
    with tempfile.TemporaryDirectory() as folder:
        request = config.request(None if config.only_model else make_wheel(config.wheel, Path(folder)))
        if config.ansible:
            click.echo(f"written: {config.ansible} and {write_playbook(config.ansible, request)}")
            return
        hosts = tuple(dict.fromkeys(config.hosts))
        results = at_once.deploy(hosts, request, config=config.ssh_config, dry_run=config.dry_run, report=report_step)
    if as_json:
        click.echo(json.dumps(at_once.to_json(results), indent=1))
    else:
        click.echo(at_once.to_plan(results) if config.dry_run else at_once.to_table(results))
    raise_errors(results)
