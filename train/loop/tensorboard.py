"""The epochs of a run as TensorBoard shows them."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from fer_edge.lazy import require


class TensorBoardLog:
    """Writes losses, accuracies and the rate of every epoch to a folder; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._writer: Any = require("tensorboard.summary", "train").Writer(str(folder))

    def __enter__(self) -> TensorBoardLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._writer.close()

    def epoch(self, epoch: dict[str, float | None]) -> None:
        """Write one row of ``history.csv``."""
        for name, value in epoch.items():
            if name != "epoch" and value is not None:
                self._writer.add_scalar(name, value, step=int(epoch["epoch"] or 0))
        self._writer.flush()
