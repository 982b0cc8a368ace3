"""Progress on long work, on standard error, and nothing where that is not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fer_edge.lazy import require


@contextmanager
def progress_bar(title: str, total: int, *, in_bytes: bool = False) -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs; yields a function that advances it.

    Args:
        title: what is being done.
        total: number of steps.
        in_bytes: count in MB instead of steps.
    """
    require("rich", "train")
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    count = DownloadColumn(binary_units=True) if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), count, TimeRemainingColumn())
    terminal = sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), disable=not terminal, transient=True) as progress:
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
