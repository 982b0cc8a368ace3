"""``--config`` and ``--print-config``: a command's options from a YAML file, and as one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fer_edge.commands.usage import as_usage_error
from fer_edge.device.deploy.credentials import VARIABLES, is_secret
from fer_edge.device.outputs.address import Broker
from fer_edge.device.run.config import RunConfig
from fer_edge.device.run.config_file import key_of, read_settings, to_yaml
from fer_edge.errors import ConfigError
from fer_edge.shipped import find_model, shipped_models

HEAD = """\
# Options of 'fer-edge run'; use it with: fer-edge run --config FILE
# Take the # away from an option to set it. Paths are relative to the folder where fer-edge is started.
"""


def _read(ctx: click.Context, param: click.Parameter, path: Path | None) -> Path | None:
    """Make the file's values the defaults: what is typed, and the environment, count more."""
    if path is not None:
        with as_usage_error():
            ctx.default_map = read_settings(path, RunConfig.names())
        ctx.meta[__name__] = path
    return path


def make_config(ctx: click.Context, options: Mapping[str, Any]) -> RunConfig:
    """Return the configuration of a command with `config_option`; raises ConfigError."""
    config = RunConfig(**options)
    if path := ctx.meta.get(__name__):
        config.spare(path)
    return config


def service_options(path: Path, model: Path | None) -> tuple[list[str], Path | None]:
    """Read a file of options for a service on another machine.

    Args:
        path: of the file.
        model: of ``--model``, which counts more than the one of the file.

    Returns:
        The options as they are typed, and the model that is sent along, if any. Several are options.

    Raises:
        ConfigError: the file cannot be read, a value is out of its range, or it names several models, by their files
            or beside `model`.
    """
    settings = read_settings(path, RunConfig.names())
    RunConfig(**settings)  # refused here, and not by every target
    models = settings.pop("models", [])
    if len(models) > 1 and model:  # the service would average all of them
        raise ConfigError("model", f"`model` and the several models of {path} exclude each other; leave one out")
    if len(models) > 1 and any(name not in shipped_models() for name in models):
        raise ConfigError("config", f"{path}: expected one model by its file, which is sent along, found several")
    words = _words("models", models) if len(models) > 1 else []
    for name, value in settings.items():
        words += _words(name, value)
    if len(models) == 1 and model is None:
        model = find_model(models[0])
    return words, model


def _words(name: str, value: Any) -> list[str]:
    option = f"--{key_of(name)}"
    if isinstance(value, bool):
        return [option] if value else []
    if name == "models":
        return [word for model in value for word in (option, str(model))]
    separator = "x" if name == "size" else ","
    return [option, separator.join(map(str, value)) if isinstance(value, list) else str(value)]


config_option = click.option(
    "--config",
    is_eager=True,
    expose_value=False,
    callback=_read,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take options from this YAML file; those of the command line count more.",
)

print_config_option = click.option(
    "--print-config", is_flag=True, help="Print the options, as given and by default, as a file for --config, and end."
)


def present_config(ctx: click.Context, options: Mapping[str, Any]) -> str:
    """Return a file that gives the command the options that it has, but for its secrets."""
    plain = click.Context(ctx.command)  # knows of no file
    parameters = {param.name: param for param in ctx.command.params if isinstance(param, click.Option)}
    parts = [HEAD]
    for name in RunConfig.names():
        value, key = options[name], key_of(name)
        if _is_secret(name, value):
            line = f"#{key}: a secret; put it into the environment as {VARIABLES[f'--{key}']}"
        elif value is None:
            line = f"#{key}:"
        else:
            typed = _as_typed(value)
            is_default = typed == _as_typed(parameters[name].get_default(plain))
            line = f"{'#' if is_default else ''}{to_yaml({name: typed}).rstrip()}"
        parts.append(f"\n# {parameters[name].help}\n{line}\n")
    return "".join(parts)


def _is_secret(name: str, value: Any) -> bool:
    if isinstance(value, Broker):
        return value.user is not None
    return value is not None and f"--{name}" in VARIABLES and is_secret(f"--{name}", str(value))


def _as_typed(value: Any) -> Any:
    """Return a value as it is written in the file."""
    if isinstance(value, (tuple, list)):
        return [_as_typed(each) for each in value]
    if isinstance(value, Path):
        names = {path: name for name, path in shipped_models().items()}
        return names.get(value, str(value))
    return value if isinstance(value, (int, float)) else str(value)
