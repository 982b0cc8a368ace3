"""What a user sees of a training: bars and a line for each epoch on the terminal, curves in TensorBoard."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from fer_edge.lazy import require
from fer_edge.text.terminal import native
from fer_edge.train.keras_setup import load_keras


class TrainingDisplay:
    """Live bars on a terminal's standard error; elsewhere one line for each epoch."""

    def __init__(self, model: str, epochs: int, steps: int) -> None:
        require("rich", "train")
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.console = Console(file=native(sys.stderr), highlight=False, width=None if sys.stderr.isatty() else 120)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(
            *columns, TimeRemainingColumn(), console=self.console, disable=not sys.stderr.isatty(), transient=True
        )
        self.epochs, self.number_of_steps = epochs, steps
        self.run = self.progress.add_task(f"training {model}", total=epochs)
        self.current = self.progress.add_task("epoch", total=steps)

    def __enter__(self) -> TrainingDisplay:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def steps(self) -> Any:
        """Return a Keras callback that moves the epoch's bar."""
        keras = load_keras()
        progress, task = self.progress, self.current

        class Steps(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
            def on_train_begin(self, logs: Any = None) -> None:
                progress.reset(task)

            def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
                progress.update(task, completed=batch + 1, description=f"epoch, loss {(logs or {}).get('loss', 0):.3f}")

        return Steps()

    def epoch(self, row: dict[str, Any]) -> None:
        """Show a finished epoch; `row` holds the fields of `fer_edge.train.loop.history.Epoch`."""
        self.progress.update(self.run, completed=row["epoch"])
        holdout = row["holdout_accuracy"]
        self.console.print(
            f"epoch {row['epoch']:3d}/{self.epochs}  loss {row['loss']:.4f}  train {row['train_accuracy']:.1%}"
            + (f"  holdout {holdout:.1%}" if holdout is not None else "")
            + f"  rate {row['learning_rate']:.2e}  {row['seconds']:.1f} s"
        )


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
