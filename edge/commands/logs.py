"""``-v``, ``--quiet`` and ``--log-json``: what a command says beside its results, on standard error."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import click

from fer_edge.commands.usage import describe_os_error
from fer_edge.errors import FerEdgeError

Command = TypeVar("Command", bound=Callable[..., Any])

ROOT = "fer_edge"
"""Logger above all others of the package, whose names are those of its modules."""

_META = "fer_edge.logs"


class Logs:
    """How a command speaks; `say` is for what is no result and no warning."""

    def __init__(self, verbose: int = 0, quiet: bool = False, as_json: bool = False) -> None:
        """Set the level: errors with `quiet`, else warnings; information and debugging with `verbose` of 1 and 2."""
        self.quiet, self.as_json = quiet, as_json
        level = {0: logging.INFO if as_json else logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
        self.level = logging.ERROR if quiet else level
        self._log = logging.getLogger(ROOT)
        self._formatter: logging.Formatter = _JsonLines()
        if not as_json:
            self._formatter = logging.Formatter("%(levelname)s %(name)s: %(message)s" if verbose else "%(message)s")

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Write the records of the package to standard error while the block runs."""
        handler, before = logging.StreamHandler(), self._log.level
        handler.setFormatter(self._formatter)
        handler.setLevel(self.level)
        self._log.addHandler(handler)
        self._log.setLevel(self.level)
        try:
            yield
        finally:
            self._log.removeHandler(handler)
            self._log.setLevel(before)

    def say(self, text: str, data: Mapping[str, Any] | None = None) -> None:
        """Say a line to whoever sits there, or record it with what a program may want of it."""
        if self.as_json:
            self._log.info("%s", text, extra={"data": data})
        elif not self.quiet:
            click.echo(text, err=True)

    def fail(self, error: Exception) -> None:
        """Record what ends the command."""
        self._log.error("%s", error.format_message() if isinstance(error, click.ClickException) else error)


def current_logs() -> Logs:
    """Return how the present command speaks."""
    context = click.get_current_context(silent=True)
    return cast(Logs, context.meta[_META]) if context and _META in context.meta else Logs()


def logging_options(command: Command) -> Command:
    """Add the options to a command, and have them act while it runs."""

    @functools.wraps(command)
    def speaking(*arguments: Any, verbose: int, quiet: bool, log_json: bool, **options: Any) -> Any:
        if verbose and quiet:
            raise click.UsageError("-v and --quiet exclude each other; leave one out")
        context = click.get_current_context()
        logs = context.meta[_META] = Logs(verbose, quiet, log_json)
        with logs.heard():
            try:
                return command(*arguments, **options)
            except BrokenPipeError:
                raise
            except (FerEdgeError, click.ClickException, OSError) as error:
                if not log_json:
                    raise
                logs.fail(click.ClickException(describe_os_error(error)) if isinstance(error, OSError) else error)
                context.exit(error.exit_code if isinstance(error, click.ClickException) else 1)

    for option in (
        click.option("--log-json", is_flag=True, help="Write the log as JSON lines to standard error, for services."),
        click.option("--quiet", is_flag=True, help="Say nothing but errors; results are written as ever."),
        click.option("-v", "--verbose", count=True, help="Say more of what happens; -vv everything."),
    ):
        speaking = option(speaking)
    return cast(Command, speaking)


class _JsonLines(logging.Formatter):
    """A record as one JSON object: time in UTC, level, logger, message, and what belongs to it."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if data := getattr(record, "data", None):
            line["data"] = data
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)
