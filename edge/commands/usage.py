"""How a configuration's refusal becomes wrong usage of a command: click's message, and status 2."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import click

from fer_edge.errors import ConfigError


@contextlib.contextmanager
def as_usage_error() -> Iterator[None]:
    """Raise click.UsageError for a ConfigError in the block; `names` of options in its text become ``--names``."""
    try:
        yield
    except ConfigError as error:
        context = click.get_current_context()
        typed = {parameter.name: max(parameter.opts, key=len) for parameter in context.command.params}
        text = re.sub(r"`(\w+)`", lambda found: typed.get(found[1], found[0]), str(error))
        raise click.UsageError(text, context) from error
