"""Progress on long work, on standard error, and nothing where that is not a terminal or rich is not installed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from fer_edge.text.terminal import native


@contextmanager
def progress_bar(title: str, total: int, *, in_bytes: bool = False) -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs; yields a function that advances it.

    Args:
        title: what is being done.
        total: number of steps.
        in_bytes: count in MB instead of steps.
    """
    # On a device, where data are read to measure accuracy, rich is not installed.
    if not sys.stderr.isatty() or find_spec("rich") is None:
        yield lambda amount: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    count = DownloadColumn(binary_units=True) if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), count, TimeRemainingColumn())
    with Progress(*columns, console=Console(file=native(sys.stderr)), transient=True) as progress:
        task = progress.add_task(title, total=total)
        pending = 0
        step = max(total // 200, 1)  # each call takes the display's lock; two hundred steps look smooth

        def advance(amount: int) -> None:
            nonlocal pending
            pending += amount
            if pending >= step:
                progress.advance(task, pending)
                pending = 0

        yield advance
