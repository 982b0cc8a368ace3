"""``fer-edge image``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fer_edge.commands.modes import umask_option
from fer_edge.commands.usage import as_usage_error
from fer_edge.device.commands.options import detector_options, min_quality_option, models_option, prior_option
from fer_edge.errors import OutputError, SourceError

if TYPE_CHECKING:
    from fer_edge.device.results import Face


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@models_option
@detector_options
@prior_option
@min_quality_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a copy of each photo with its faces drawn in to this folder, as NAME-faces.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@umask_option
@click.pass_context
def image(
    ctx: click.Context,
    photos: tuple[Path, ...],
    models: tuple[Path, ...],
    detector: str,
    detector_model: Path | None,
    prior: str | None,
    min_quality: float,
    out: Path | None,
    as_json: bool,
) -> None:
    """Find the faces in photos and say what they express.

    A photo that cannot be read or copied is named on standard error, the others are done, and the exit status is 1.
    """
    from fer_edge.device.detection.choice import DetectorChoice
    from fer_edge.device.outputs.copies import Copies
    from fer_edge.device.reader import FaceReader
    from fer_edge.device.sources.folder import read_photo, within_memory

    with as_usage_error():
        chosen = DetectorChoice(detector, detector_model)
        reader = FaceReader(models, chosen.open(), prior=prior)
    copies = Copies(out, photos) if out else None
    results, failed = [], False
    for photo in photos:
        try:
            with within_memory(photo):
                bgr = read_photo(photo)
                faces = tuple(face for face in reader.read(bgr) if face.quality >= min_quality)
                results.append({"file": str(photo), "faces": [face.to_dict() for face in faces]})
                if not as_json:
                    click.echo(_table(photo, faces))
                if copies:
                    copies.save(photo, bgr, faces)
        except (SourceError, OutputError) as error:
            click.echo(f"Error: {error}", err=True)
            failed = True
    if as_json:
        click.echo(json.dumps(results, indent=1))
    if failed:
        ctx.exit(1)


def _table(photo: Path, faces: Sequence[Face]) -> str:
    lines = [f"{photo}: {len(faces)} face{'' if len(faces) == 1 else 's'}"]
    for face in faces:
        x, y, w, h = face.box
        name = f"{face.label}{'?' if face.uncertain else ''}"
        why = f"   {face.reason}" if face.reason else ""
        second = sorted(face.scores.items(), key=lambda item: -item[1])[1:2]
        runner_up = "".join(f"   then {label} {score:.2f}" for label, score in second)
        lines.append(f"  {face.id:2d}  {w}x{h} at {x},{y}".ljust(28) + f"{name:11s}{face.score:.2f}{runner_up}{why}")
    return "\n".join(lines)
