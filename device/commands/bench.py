"""``fer-edge bench``."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fer_edge.device.commands.options import SourceSpec
from fer_edge.errors import OutputError
from fer_edge.lazy import require
from fer_edge.model_file import write_atomically
from fer_edge.shipped import DEFAULT, ModelPath

if TYPE_CHECKING:
    from fer_edge.device.bench_pipeline import PipelineLatency

MOST_THREADS = 64


class Threads(click.ParamType[tuple[int, ...]]):
    """Thread counts such as ``1,2,4``."""

    name = "N,N,..."

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return the counts in the order given, each once."""
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in value.split(",")]
        if not all(part.isascii() and part.isdecimal() and 1 <= int(part[:9]) <= MOST_THREADS for part in parts):
            self.fail(f"'{value}' is no list of thread counts from 1 to {MOST_THREADS}, such as 1,2,4", param, ctx)
        return tuple(dict.fromkeys(int(part) for part in parts))


@click.command()
@click.option(
    "--model", default=DEFAULT, show_default=True, type=ModelPath(), help="A shipped model, or a .tflite file."
)
@click.option(
    "--source", default="demo", show_default=True, type=SourceSpec(), help="Pictures for the loop, as in 'run'."
)
@click.option("--frames", default=100, show_default=True, type=click.IntRange(0), help="Pictures timed; 0: model only.")
@click.option("--runs", default=1000, show_default=True, type=click.IntRange(1), help="Timed runs per thread count.")
@click.option("--threads", default="1,2,4", show_default=True, type=Threads(), help="Thread counts of the model.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the result as JSON to a file as well."
)
def bench(
    model: Path, source: str, frames: int, runs: int, threads: tuple[int, ...], as_json: bool, out: Path | None
) -> None:
    """Measure the latency of a model, and of the device loop with it, on this machine.

    The model is timed one face at a time for each thread count, and the loop stage by stage, on pictures of --source.
    A float model is accepted for comparison. The result names the machine, the versions and the model's hash.
    """
    from fer_edge.device.bench import measure_model
    from fer_edge.device.bench_report import Conditions, to_json, to_table

    if out:
        _check_writable(out)
    conditions = Conditions.now(model)
    # First, so that a source that does not work costs no time, and a camera is off while the model is timed.
    pipeline = _measure_pipeline(source, model, frames) if frames else None
    latency = [measure_model(model, count, runs) for count in threads]
    document = json.dumps(to_json(conditions, latency, pipeline), indent=1)
    click.echo(document if as_json else to_table(conditions, latency, pipeline))
    if out:
        _write(out, document)


def _measure_pipeline(source: str, model: Path, frames: int) -> PipelineLatency:
    require("cv2", "device")
    from fer_edge.device.bench_pipeline import measure_pipeline
    from fer_edge.device.sources import open_source
    from fer_edge.runtime import TFLiteModel

    with open_source(source) as opened:
        return measure_pipeline(opened, TFLiteModel(model, allow_float=True), frames)


def _check_writable(path: Path) -> None:
    """Fail before the measurement, not after it."""
    if path.exists() and not path.is_file():  # an atomic write would put a file in the place of a device or pipe
        raise OutputError(f"{path}: expected a file or a new name for --out, found a device or pipe; choose another")
    try:
        with tempfile.TemporaryFile(dir=path.resolve().parent):
            pass
    except OSError as error:
        raise _cannot_write(path, error) from error


def _write(path: Path, document: str) -> None:
    try:
        # Resolved, so that the file behind a link is replaced and not the link.
        write_atomically(path.resolve(), document.encode() + b"\n")
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path}: the result cannot be written there ({error.strerror}); choose another --out")
