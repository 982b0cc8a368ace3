"""``fer-edge image``."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fer_edge.commands.modes import umask_option
from fer_edge.commands.usage import as_usage_error
from fer_edge.device.commands.options import (
    detector_options,
    min_quality_option,
    models_option,
    prior_option,
    upright_option,
)
from fer_edge.errors import OutputError, SourceError

if TYPE_CHECKING:
    from fer_edge.device.archive.photos import PhotoResult, PhotoRun

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PHOTO...")
@models_option
@detector_options
@click.option("--recursive", is_flag=True, help="Look for photos in the folders inside a folder too.")
@upright_option
@prior_option
@min_quality_option
@click.option(
    "--out", type=FOLDER, help="Write a copy of each photo with its faces drawn in to this folder, as NAME-faces."
)
@click.option("--crops", type=FOLDER, help="Write each face to this folder, as NAME-face1.png.")
@click.option("--csv", metavar="FILE", help="Write a table with a row for each face; - is standard output.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@umask_option
@click.pass_context
def image(
    ctx: click.Context,
    photos: tuple[Path, ...],
    models: tuple[Path, ...],
    detector: str,
    detector_model: Path | None,
    recursive: bool,
    upright: bool,
    prior: str | None,
    min_quality: float,
    out: Path | None,
    crops: Path | None,
    csv: str | None,
    as_json: bool,
) -> None:
    """Find the faces in photos and say what they express.

    PHOTO is a photo or a folder of photos. One that cannot be read or copied is named on standard error, the others
    are done, and the exit status is 1.
    """
    if as_json and csv == "-":
        raise click.UsageError("--json and --csv - would both write to standard output; give --csv a file")
    from fer_edge.device.archive.photos import PhotoRun, list_photos
    from fer_edge.device.detection.choice import DetectorChoice
    from fer_edge.device.outputs.overwriting import refuse_overwriting
    from fer_edge.device.reader import FaceReader

    files = list_photos(photos, recursive=recursive, but=[folder for folder in (out, crops) if folder])
    with as_usage_error():
        chosen = DetectorChoice(detector, detector_model)
        read = {"photos": files, "models": models, "detector_model": [detector_model], "prior": [prior]}
        refuse_overwriting({"csv": csv}, read)
        chosen.check_upright(upright)
        reader = FaceReader(models, chosen.open(), prior=prior, upright=upright)
    failed, results = False, []
    with (
        PhotoRun(reader, files, out=out, crops=crops, csv=csv, min_quality=min_quality) as photo_run,
        _progress(files, csv, as_json) as shown,
    ):
        for file in shown:
            try:
                result = photo_run.read(file)
            except (SourceError, OutputError) as error:
                click.echo(f"Error: {error}", err=True)
                failed = True
                continue
            if as_json:
                results.append(result.to_dict())
            elif not csv:
                click.echo(_table(result))
    _say(photo_run, results, csv, as_json, failed)
    if failed:
        ctx.exit(1)


def _say(photo_run: PhotoRun, results: Sequence[object], csv: str | None, as_json: bool, failed: bool) -> None:
    """Print what was not printed photo by photo."""
    if as_json:
        click.echo(json.dumps(results, indent=1))
    elif csv and csv != "-":
        done = photo_run
        some = "; others could not be read" if failed else ""
        click.echo(f"{done.photos} photos, {done.faces} faces, {done.without} photos without a face: {csv}{some}")


def _progress(
    files: Sequence[Path], csv: str | None, as_json: bool
) -> contextlib.AbstractContextManager[Iterable[Path]]:
    """Return the photos with a bar on standard error, where that is a terminal on which no results appear."""
    lines_follow = csv == "-" or not (csv or as_json)
    if not _terminal("stderr") or len(files) < 2 or (lines_follow and _terminal("stdout")):
        return contextlib.nullcontext(files)
    return click.progressbar(files, label="photos", file=sys.stderr, show_pos=True)


def _terminal(stream: str) -> bool:
    return bool(getattr(sys, stream).isatty())


def _table(result: PhotoResult) -> str:
    faces = result.faces
    lines = [f"{result.file}: {len(faces)} face{'' if len(faces) == 1 else 's'}"]
    for face in faces:
        x, y, w, h = face.box
        name = f"{face.label}{'?' if face.uncertain else ''}"
        why = f"   {face.reason}" if face.reason else ""
        second = sorted(face.scores.items(), key=lambda item: -item[1])[1:2]
        runner_up = "".join(f"   then {label} {score:.2f}" for label, score in second)
        lines.append(f"  {face.id:2d}  {w}x{h} at {x},{y}".ljust(28) + f"{name:11s}{face.score:.2f}{runner_up}{why}")
    return "\n".join(lines)
