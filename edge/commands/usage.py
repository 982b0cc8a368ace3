"""How errors become a command's: a configuration's refusal wrong usage with status 2, the system's a line."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator

import click

from fer_edge.errors import ConfigError

ADVICE = {
    errno.EACCES: "; choose a place that you may write to, or change its permissions",
    errno.ENOENT: "; check the name and its folder",
    errno.ENOSPC: "; make room, or choose another place",
    errno.ENOTDIR: "; a part of that path is a file, choose another",
    errno.EROFS: "; choose a place that can be written to",
}
"""What to do where the system says no, by its number of the error."""


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


def describe_os_error(error: OSError) -> str:
    """Return the line for an error of the system: the file, the reason, what to do."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}{ADVICE.get(error.errno or 0, '')}"
