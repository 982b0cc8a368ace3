"""``fer-edge explain``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fer_edge.commands.modes import umask_option
from fer_edge.commands.types import ModelPath
from fer_edge.train.commands.options import FACES

if TYPE_CHECKING:
    from fer_edge.train.explain.explanation import Explanation

IMAGE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("model", type=ModelPath(), metavar="MODEL")
@click.argument("images", nargs=-1, type=IMAGE, metavar="[IMAGE]...")
@click.option("--filters", is_flag=True, help="Draw the weights of the first layer.")
@click.option("--activations", is_flag=True, help="Draw how the layers answer to each IMAGE.")
@click.option("--saliency", is_flag=True, help="Draw what in each IMAGE speaks for its class.")
@click.option("--dream", is_flag=True, help="Draw what raises each class, from noise and from each IMAGE; .keras only.")
@click.option("--layer", metavar="NAME", help="With --activations: draw all of this layer's output.")
@click.option("--class", "label", metavar="NAME", help="With --saliency and --dream: draw this class only.")
@FACES
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Write into this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@umask_option
def explain(
    model: Path,
    images: tuple[Path, ...],
    filters: bool,
    activations: bool,
    saliency: bool,
    dream: bool,
    layer: str | None,
    label: str | None,
    faces: str,
    out: Path,
    as_json: bool,
) -> None:
    """Draw what a .keras or .tflite MODEL (a file or a shipped model's name) looks at.

    Each IMAGE is a face or a photo, of any size and colour; without one, the package's portrait is used.
    Without --filters, --activations, --saliency or --dream, all that the model allows are drawn. --out gets
    a PNG file for each and report.html, one page that needs no other file.
    """
    wanted = {"filters": filters, "activations": activations, "saliency": saliency, "dream": dream}
    kinds = [kind for kind, chosen in wanted.items() if chosen]
    if layer is not None and kinds and not activations:
        raise click.UsageError("--layer belongs to --activations, which was not asked for")
    if label is not None and kinds and not (saliency or dream):
        raise click.UsageError("--class belongs to --saliency and --dream, neither of which was asked for")

    from fer_edge.lazy import require

    require("cv2", "train")

    from fer_edge.train.explain.explanation import REPORT, explain_model

    explanation = explain_model(model, images, kinds, out, layer=layer, label=label, faces=faces)
    for picture in explanation.pictures:
        if picture.note:
            click.echo(f"note: {picture.source}: {picture.note}", err=True)
    if as_json:
        click.echo(json.dumps(_to_dict(explanation, model, out)))
        return
    labels = explanation.network.info.labels
    for picture, row in zip(explanation.pictures, explanation.scores, strict=True):
        click.echo(f"{picture.name}: {labels[row.argmax()]} {row.max():.1%}")
    for plate in explanation.plates:
        click.echo(out / plate.file)
    click.echo(out / REPORT)


def _to_dict(explanation: Explanation, model: Path, out: Path) -> dict[str, Any]:
    from fer_edge.model_file import file_hash
    from fer_edge.train.explain.explanation import REPORT

    labels = explanation.network.info.labels
    return {
        "model": {"file": model.name, "sha256": file_hash(model)},
        "report": str(out / REPORT),
        "pictures": [
            {
                "name": picture.name,
                "source": picture.source,
                "note": picture.note or None,
                "scores": dict(zip(labels, row.tolist(), strict=True)),
            }
            for picture, row in zip(explanation.pictures, explanation.scores, strict=True)
        ],
        "plates": [
            {"kind": plate.kind, "picture": plate.picture or None, "file": str(out / plate.file)}
            for plate in explanation.plates
        ],
    }
