"""``fer-edge analyze``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fer_edge.commands.modes import umask_option
from fer_edge.commands.usage import as_usage_error
from fer_edge.device.commands.options import detector_options, models_option

if TYPE_CHECKING:
    from fer_edge.device.archive.plan import Done, Part
    from fer_edge.device.archive.run import Analysis
    from fer_edge.device.archive.summary import Overview

LINE_S = 30.0
"""Seconds between two lines of progress where standard error is no terminal."""


FACE_NETWORKS = {"default_map": {"detector": "face"}}
"""Four to eight times as fast on images as the cascade, which is the default elsewhere."""


@click.command(context_settings=FACE_NETWORKS)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--out",
    required=True,
    metavar="DIR",
    help="Write the results to this folder, or to an address such as s3://bucket/name. Repeat the command to continue.",
)
@models_option
@detector_options
@click.option(
    "--every",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Search a frame of a video every so many seconds; 0 searches all.",
)
@click.option("--workers", type=click.IntRange(1, 256), help="Use so many processes. The default is one a core.")
@click.option(
    "--dask", "scheduler", metavar="ADDRESS", help="Use the workers of this Dask scheduler, such as tcp://host:8786."
)
@click.option("--csv", is_flag=True, help="Write faces.csv and files.csv as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@umask_option
def analyze(
    paths: tuple[str, ...],
    out: str,
    models: tuple[Path, ...],
    detector: str,
    detector_model: Path | None,
    every: float,
    workers: int | None,
    scheduler: str | None,
    csv: bool,
    as_json: bool,
) -> None:
    """Find the faces in an archive of images and videos, and write them as tables.

    PATH is an image, a video, a folder, a glob in quotes, a list of paths (.txt) or an address. One row per face
    goes to DIR/faces, one row per file to DIR/files, both as Parquet. Repeat the command to continue an interrupted
    analysis.
    """
    from fer_edge.device.archive.run import Analysis
    from fer_edge.device.archive.settings import make_settings
    from fer_edge.device.archive.store import locked

    with locked(out):
        with as_usage_error():
            analysis = Analysis(paths, out, make_settings(models, detector, detector_model, every))
            _say_inputs(analysis)
            with _progress(analysis) as finished:
                analysis.run(workers=workers, scheduler=scheduler, finished=finished)
        overview = analysis.finish(csv=csv)
    if as_json:
        click.echo(json.dumps(overview.to_dict(), indent=1))
    else:
        _print_summary(analysis, overview)


def _say_inputs(analysis: Analysis) -> None:
    inputs, manifest = analysis.inputs, analysis.manifest
    click.echo(f"{len(inputs.images)} images, {len(inputs.videos)} videos", err=True)
    if inputs.others:
        kinds = ", ".join(f"{count} {ending}" for ending, count in sorted(inputs.others.items()))
        click.echo(f"left out, neither images nor videos: {kinds}", err=True)
    if manifest.done:
        click.echo(f"continuing: {len(manifest.done)} of {len(manifest.parts)} parts are done", err=True)


@contextmanager
def _progress(analysis: Analysis) -> Iterator[Callable[[Part, Done], None]]:
    """Show files done, images and frames a second, and the time left; lines now and then where it is no terminal."""
    parts = analysis.manifest.open_parts
    total = sum(len(part.files) for part in parts)
    start, files, frames, said = time.monotonic(), 0, 0, time.monotonic()

    def rate() -> str:
        return f"{frames / max(time.monotonic() - start, 1e-3):.1f} images and frames/s"

    with click.progressbar(
        range(total), label="files", file=sys.stderr, show_pos=True, item_show_func=lambda _: rate()
    ) as bar:

        def finished(part: Part, done: Done) -> None:
            nonlocal files, frames, said
            files, frames = files + len(part.files), frames + done.frames
            bar.update(len(part.files))
            if not sys.stderr.isatty() and time.monotonic() - said > LINE_S:
                said = time.monotonic()
                click.echo(f"{files} of {total} files, {rate()}", err=True)

        yield finished


def _print_summary(analysis: Analysis, overview: Overview) -> None:
    files, faces = overview.files, sum(overview.faces.values())
    failed = files.total() - files["read"]
    click.echo(f"{files.total()} files, {overview.frames} images and frames, {faces} faces")
    for label in overview.labels:
        click.echo(f"  {label:12s}{overview.faces[label]:9d}{overview.faces[label] / max(faces, 1):8.1%}")
    if failed:
        click.echo(f"{failed} files could not be read to the end; see {analysis.name('files')}, column reason")
    click.echo(f"report: {analysis.name('report.html')}")
