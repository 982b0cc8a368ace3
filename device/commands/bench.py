"""``fer-edge bench``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from fer_edge.device.commands.options import SourceSpec, refuse_overwriting
from fer_edge.errors import OutputError
from fer_edge.lazy import require
from fer_edge.model_file import write_atomically
from fer_edge.shipped import DEFAULT, ModelPath

if TYPE_CHECKING:
    from fer_edge.device.bench.pipeline import PipelineLatency

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


class LabelledData(click.ParamType[str]):
    """A ``--data`` value, judged by the package that reads data sets; found by name, as the commands are."""

    name = "DATA"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return `value` if it can be meant."""
        spec = require("fer_edge.train.data.spec", "train").DataSpec()
        return str(spec.convert(value, param, ctx))


@click.command()
@click.option(
    "--model", default=DEFAULT, show_default=True, type=ModelPath(), help="A shipped model, or a .tflite file."
)
@click.option(
    "--source", default="demo", show_default=True, type=SourceSpec(), help="Pictures for the loop, as in 'run'."
)
@click.option("--frames", default=300, show_default=True, type=click.IntRange(0), help="Pictures timed; 0: model only.")
@click.option(
    "--runs", default=1024, show_default=True, type=click.IntRange(1), help="Timed runs of the model, at least."
)
@click.option("--seconds", default=10, show_default=True, type=click.IntRange(0), help="Time for them, at least.")
@click.option("--threads", default="1,2,4", show_default=True, type=Threads(), help="Thread counts of the model.")
@click.option(
    "--xnnpack",
    default="both",
    show_default=True,
    type=click.Choice(("on", "off", "both")),
    help="Its fast kernels.",
)
@click.option(
    "--data",
    type=LabelledData(),
    help="Measure accuracy as well: a fer2013.csv, a folder or zip of pictures, 'demo', or several joined with '+'.",
)
@click.option("--split", default="PublicTest", show_default=True, help="The split of --data.")
@click.option(
    "--compare",
    nargs=2,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="A.json B.json",
    help="Measure nothing; print ratios of two results.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the result as JSON to a file as well."
)
@click.pass_context
def bench(
    ctx: click.Context,
    model: Path,
    source: str,
    frames: int,
    runs: int,
    seconds: int,
    threads: tuple[int, ...],
    xnnpack: str,
    data: str | None,
    split: str,
    compare: tuple[Path, Path] | None,
    as_json: bool,
    out: Path | None,
) -> None:
    """Measure the latency of a model, and of the device loop with it, on this machine.

    The model is timed one face at a time for each thread count, with and without XNNPACK, for --runs and --seconds at
    least, and the loop stage by stage, on pictures of --source. With --data the accuracy of the same file is measured
    in the same run. A float model is accepted for comparison. The result names the machine, its temperature and
    throttling, the versions and the model's hash.
    """
    if compare:
        _refuse_other_options(ctx)
        _compare(*compare, as_json=as_json)
        return
    from fer_edge.device.bench.accuracy import measure_accuracy
    from fer_edge.device.bench.conditions import Conditions, Moment
    from fer_edge.device.bench.model import measure_model
    from fer_edge.device.bench.report import Measurement, to_json, to_table
    from fer_edge.device.doctor.system import System

    if out:
        inputs = {"--model": model, "--source": source if frames else None, "--data": data}
        refuse_overwriting({"--out": out}, inputs)
        _check_writable(out)
    system = System.here()
    conditions = Conditions.now(model)
    # First, so that data or a source that does not work costs no time, and a camera is off while the model is timed.
    if data:
        _say(f"measuring accuracy on {data} ...")
    accuracy = measure_accuracy(model, conditions.model["sha256"], data, split) if data else None
    moments = [Moment.now(system)]
    if frames:
        _say(f"timing the device loop on {source} ...")
    pipeline = _measure_pipeline(source, model, frames) if frames else None
    latency = []
    for count in threads:
        for on in {"on": (True,), "off": (False,), "both": (True, False)}[xnnpack]:
            moments.append(Moment.now(system))
            _say(f"timing the model on {count} threads, XNNPACK {'on' if on else 'off'} ...")
            latency.append(measure_model(model, count, xnnpack=on, runs=runs, seconds=seconds))
    moments.append(Moment.now(system))
    measurement = Measurement(conditions, runs, seconds, tuple(moments), tuple(latency), pipeline, accuracy)
    document = to_json(measurement)
    # To the file first: minutes of measurement are not lost to a reader who has gone, nor to a file that cannot be.
    try:
        if out:
            _write(out, document)
    finally:
        click.echo(document if as_json else to_table(measurement))


def _say(doing: str) -> None:
    """Tell who waits at a terminal what is done; a measurement takes minutes."""
    if sys.stderr.isatty():
        click.echo(doing, err=True)


def _refuse_other_options(ctx: click.Context) -> None:
    for parameter in ctx.command.params:
        name = parameter.name or ""
        given = ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and name not in ("compare", "as_json"):
            raise click.UsageError(f"--compare measures nothing and takes no {parameter.opts[0]}", ctx)


def _compare(first: Path, second: Path, *, as_json: bool) -> None:
    from fer_edge.device.bench.compare import compare, to_json, to_table
    from fer_edge.device.bench.document import read_document

    a, b = read_document(first), read_document(second)
    click.echo((to_json if as_json else to_table)(a, b, compare(a, b)))


def _measure_pipeline(source: str, model: Path, frames: int) -> PipelineLatency:
    require("cv2", "device")
    from fer_edge.device.bench.pipeline import measure_pipeline
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
