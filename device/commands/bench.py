"""``fer-edge bench``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from fer_edge.commands.types import ModelPath
from fer_edge.commands.usage import as_usage_error
from fer_edge.config import MAX_THREADS
from fer_edge.device.commands.options import detector_options, source_option
from fer_edge.lazy import require
from fer_edge.shipped import DEFAULT


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
        if not all(part.isascii() and part.isdecimal() and 1 <= int(part[:9]) <= MAX_THREADS for part in parts):
            self.fail(f"'{value}' is no list of thread counts from 1 to {MAX_THREADS}, such as 1,2,4", param, ctx)
        return tuple(dict.fromkeys(int(part) for part in parts))


@click.command()
@click.option(
    "--model", default=DEFAULT, show_default=True, type=ModelPath(), help="A shipped model, or a .tflite file."
)
@source_option("Pictures for the loop, as in 'run'.", default="demo")
@detector_options
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
    metavar="DATA",
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
@click.option("--micro", is_flag=True, help="Measure nothing; estimate what --model costs on microcontrollers.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the result as JSON to a file as well."
)
@click.pass_context
def bench(ctx: click.Context, /, compare: tuple[Path, Path] | None, micro: bool, as_json: bool, **options: Any) -> None:
    """Measure the latency of a model, and of the device loop with it, on this machine.

    The model is timed one face at a time for each thread count, with and without XNNPACK, for --runs and --seconds at
    least, and the loop stage by stage, on pictures of --source. With --data the accuracy of the same file is measured
    in the same run. A float model is accepted for comparison. The result names the machine, its temperature and
    throttling, the versions and the model's hash.
    """
    if micro:
        _refuse_other_options(ctx, "micro", "model")
        _estimate(options["model"], as_json=as_json)
        return
    if compare:
        _refuse_other_options(ctx, "compare")
        _compare(*compare, as_json=as_json)
        return
    require("cv2", "device")
    from fer_edge.device.bench.measure import BenchConfig
    from fer_edge.device.bench.report import to_json, to_table
    from fer_edge.files import check_writable, write_result

    with as_usage_error():
        config = BenchConfig(**options)
        if out := options["out"]:
            check_writable(out)
        # The shell hands over the library: only what stands above the packages can measure accuracy as well.
        measurement = ctx.obj.benchmark(config=config, report=_say)
    document = to_json(measurement)
    # To the file first: minutes of measurement are not lost to a reader who has gone, nor to a file that cannot be.
    try:
        if out:
            write_result(out, document.encode() + b"\n")
    finally:
        click.echo(document if as_json else to_table(measurement))


def _say(doing: str) -> None:
    """Tell who waits at a terminal what is done; a measurement takes minutes."""
    if sys.stderr.isatty():
        click.echo(doing, err=True)


def _refuse_other_options(ctx: click.Context, *allowed: str) -> None:
    for parameter in ctx.command.params:
        name = parameter.name or ""
        given = ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and name not in (*allowed, "as_json"):
            raise click.UsageError(f"--{allowed[0]} measures nothing and takes no {parameter.opts[0]}", ctx)


def _estimate(model: Path, *, as_json: bool) -> None:
    from fer_edge.device.bench.micro import estimate, to_lines

    estimated = estimate(model)
    click.echo(json.dumps(estimated) if as_json else to_lines(estimated))


def _compare(first: Path, second: Path, *, as_json: bool) -> None:
    from fer_edge.device.bench.compare import compare, to_json, to_table
    from fer_edge.device.bench.document import read_document

    a, b = read_document(first), read_document(second)
    click.echo((to_json if as_json else to_table)(a, b, compare(a, b)))
