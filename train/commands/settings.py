"""Options of a command from the settings of the dataclasses that it fills."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import click
from click.core import ParameterSource

from fer_edge.train.commands.options import Finite
from fer_edge.train.settings import Range, Setting

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def setting_options(settings: Iterable[Setting]) -> Decorator:
    """Return a decorator that gives a command an option for each setting, in their order."""
    options = [_option(setting) for setting in settings]

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):  # the last decorator is applied first
            command = option(command)
        return command

    return decorate


def given_by_hand(context: click.Context, names: Collection[str]) -> dict[str, Any]:
    """Return which of the parameters called `names` were given on the command line, with their values."""
    given = {name: context.get_parameter_source(name) for name in names}
    return {name: context.params[name] for name, source in given.items() if source is ParameterSource.COMMANDLINE}


def number_type(within: Range, *, whole: bool) -> click.ParamType[Any]:
    """Return the type of an option that takes the numbers of a range."""
    high = None if within.high == float("inf") else within.high
    if whole:
        return click.IntRange(int(within.low), None if high is None else int(high))
    return Finite(within.low, high, min_open=within.low_open, max_open=within.high_open)


def _option(setting: Setting) -> Decorator:
    name = "--" + setting.name.replace("_", "-")
    if setting.kind is bool:
        if setting.default:
            name = f"{name}/--no-{name[2:]}"
            return click.option(name, default=True, show_default=True, help=setting.help)
        return click.option(name, is_flag=True, help=setting.help)
    kind: Any = setting.kind
    metavar = None
    if setting.within:
        kind = number_type(setting.within, whole=setting.kind is int)
    elif setting.choices and not setting.default:
        kind, metavar = click.Choice(["", *setting.choices]), "|".join(setting.choices)
    elif setting.choices:
        kind = click.Choice(setting.choices)
    else:
        metavar = "NAME"
    shown = bool(setting.default != "")
    return click.option(
        name, default=setting.default, show_default=shown, type=kind, metavar=metavar, help=setting.help
    )
