"""How the command line's choice becomes a live page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fer_edge.device.outputs.base import Output
from fer_edge.device.sources.base import Source
from fer_edge.device.web.options import Serving
from fer_edge.lazy import require

if TYPE_CHECKING:
    from fer_edge.device.pipeline import Pipeline


def require_packages() -> None:
    """Raise MissingExtraError unless the packages of the extra ``web`` are installed."""
    for module in ("starlette", "uvicorn", "websockets"):
        require(module, "web")


def open_page(serving: Serving, models: Sequence[Path], source: str, pipeline: Pipeline) -> Output:
    """Open the page of a loop and say its address on standard error.

    Args:
        serving: where, and to whom.
        models: the model files.
        source: name of what the loop reads.
        pipeline: the loop.

    Raises:
        OutputError: it cannot be opened there.
        MissingExtraError: the extra ``web`` is not installed.
    """
    require_packages()
    from fer_edge.device.web.output import LivePage

    page = LivePage(serving, models, source, pipeline)
    click.echo(f"live page: {page.url}", err=True)
    return page


def paced(source: Source, stop: Callable[[], bool]) -> Source:
    """Return a source that is not played faster than it is watched; `stop` ends its waiting."""
    from fer_edge.device.sources.paced import Paced

    return source if source.live else Paced(source, stop)
