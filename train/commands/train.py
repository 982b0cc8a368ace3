"""``fer-edge train``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from fer_edge.train.commands.options import DATA, FERPLUS, MAP

SHARE = click.FloatRange(0, 1, max_open=True)
POSITIVE = click.FloatRange(0, min_open=True)
NOT_NEGATIVE = click.FloatRange(0)


@click.command()
@DATA
@FERPLUS
@MAP
@click.option("--model", default="compact", show_default=True, metavar="NAME", help="Architecture of the zoo.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of the run.")
@click.option("--resume", is_flag=True, help="Continue the killed run in --out with the same arguments.")
@click.option("--epochs", default=60, show_default=True, type=click.IntRange(1), help="Length of the schedule.")
@click.option("--batch-size", default=64, show_default=True, type=click.IntRange(2), help="Images a step.")
@click.option(
    "--optimizer",
    default="adamw",
    show_default=True,
    type=click.Choice(["adamw", "adam", "sgd"]),
    help="sgd: Nesterov.",
)
@click.option("--learning-rate", default=2e-3, show_default=True, type=POSITIVE, help="Peak rate.")
@click.option(
    "--schedule",
    default="cosine",
    show_default=True,
    type=click.Choice(["cosine", "plateau", "constant"]),
    help="Of the rate; plateau follows the held-out accuracy.",
)
@click.option("--warmup-epochs", default=2.0, show_default=True, type=NOT_NEGATIVE, help="Linear rise of the rate.")
@click.option("--weight-decay", default=0.01, show_default=True, type=NOT_NEGATIVE, help="On kernels only.")
@click.option(
    "--sam", default=0.0, show_default=True, type=NOT_NEGATIVE, help="Radius; sharpness-aware, doubles a step."
)
@click.option("--label-smoothing", default=0.1, show_default=True, type=SHARE, help="Share spread over all classes.")
@click.option(
    "--class-weighting",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Weigh rare classes more: 1 all classes alike, 0 all images.",
)
@click.option("--ema-epochs", default=2.0, show_default=True, type=NOT_NEGATIVE, help="Averaging of weights; 0 off.")
@click.option("--dropout", default=0.2, show_default=True, type=SHARE, help="Before the last layer.")
@click.option("--patience", default=0, show_default=True, type=click.IntRange(0), help="Early stopping; 0 off.")
@click.option("--holdout", default=0.1, show_default=True, type=SHARE, help="Share of Training that chooses the epoch.")
@click.option("--keep-leaks", is_flag=True, help="Also train on images that occur in a test split.")
@click.option("--clean", is_flag=True, help="Leave out blank images and those that occur under two labels.")
@click.option("--flip/--no-flip", default=True, show_default=True, help="Mirror half of the images.")
@click.option("--rotation", default=12.0, show_default=True, type=click.FloatRange(0, 180), help="Up to, in degrees.")
@click.option("--scale", default=0.2, show_default=True, type=NOT_NEGATIVE, help="0.2 zooms from 1/1.2 to 1.2.")
@click.option("--shift", default=0.08, show_default=True, type=SHARE, help="Up to, as a share of the side.")
@click.option("--contrast", default=0.2, show_default=True, type=SHARE, help="Contrast and brightness, up to.")
@click.option("--light", default=0.0, show_default=True, type=SHARE, help="Share of images darkened or over-exposed.")
@click.option("--blur", default=0.0, show_default=True, type=SHARE, help="Share of images blurred.")
@click.option("--noise", default=0.0, show_default=True, type=SHARE, help="Share of images with Gaussian noise.")
@click.option("--erasing", default=0.25, show_default=True, type=SHARE, help="Share of images with an erased patch.")
@click.option("--mixup", default=0.15, show_default=True, type=SHARE, help="Share of batches mixed pairwise.")
@click.option("--cutmix", default=0.0, show_default=True, type=SHARE, help="Share of batches with pasted rectangles.")
@click.option(
    "--precision",
    default="float32",
    show_default=True,
    type=click.Choice(["float32", "bfloat16"]),
    help="What layers compute in; bfloat16 is faster for wide models on some processors.",
)
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A trained .keras model to learn from as well; may be given several times.",
)
@click.option("--teacher-share", default=0.7, show_default=True, type=click.FloatRange(0, 1), help="Of the loss.")
@click.option("--temperature", default=2.0, show_default=True, type=POSITIVE, help="Softens teachers and student.")
@click.option("--views", default=16, show_default=True, type=click.IntRange(1), help="Augmented views for teachers.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Of weights, order, augmentation.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def train(
    data: str,
    ferplus: Path | None,
    mapping: tuple[tuple[str, str], ...],
    model: str,
    out: Path,
    resume: bool,
    keep_leaks: bool,
    teachers: tuple[Path, ...],
    teacher_share: float,
    temperature: float,
    views: int,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train a model on DATA and leave it in the folder --out.

    DATA is a fer2013.csv, a folder export, or 'demo'. The folder gets model.keras, history.csv, curves.png,
    run.json and a checkpoint after every epoch. Images that occur in a test split as well are dropped.
    """
    from fer_edge.model_file import file_hash
    from fer_edge.train.augment import Augmentation
    from fer_edge.train.data.load import load_dataset
    from fer_edge.train.distillation import open_teachers
    from fer_edge.train.plots import plot_curves
    from fer_edge.train.recipe import Distillation, Recipe
    from fer_edge.train.training import MODEL, best_epoch, train_model
    from fer_edge.train.zoo.registry import ZOO

    if model not in ZOO:
        raise click.BadParameter(f"'{model}' is not in the zoo ({', '.join(ZOO)})", param_hint="--model")
    elements = (
        "flip",
        "rotation",
        "scale",
        "shift",
        "contrast",
        "light",
        "blur",
        "noise",
        "erasing",
        "mixup",
        "cutmix",
    )
    augmentation = Augmentation(**{name: settings.pop(name) for name in elements})
    if settings["schedule"] == "plateau" and not settings["holdout"]:
        raise click.UsageError("--schedule plateau follows the held-out accuracy; give a --holdout above 0")
    distillation = None
    if teachers:
        hashes = tuple(file_hash(path) for path in teachers)
        distillation = Distillation(hashes, teacher_share, temperature, views)
    recipe = Recipe(augmentation=augmentation, drop_leaks=not keep_leaks, distillation=distillation, **settings)
    dataset = load_dataset(data, ferplus, mapping=dict(mapping))
    opened = open_teachers(teachers, dataset.labels, ZOO[model].input_size)
    try:
        history = train_model(dataset, model, recipe, out, resume=resume, teachers=opened)
    except KeyboardInterrupt as interrupt:
        raise click.ClickException(
            f"interrupted; what is done is kept in {out}, go on with the same arguments and --resume"
        ) from interrupt
    plot_curves(history, out / "curves.png")
    kept = best_epoch(history)
    result = {"model": str(out / MODEL), "epochs": len(history), "kept_epoch": kept.epoch}
    if kept.holdout_accuracy is not None:
        result["holdout_accuracy"] = kept.holdout_accuracy
    if as_json:
        click.echo(json.dumps(result))
    else:
        held = f", {kept.holdout_accuracy:.1%} on the held-out part" if kept.holdout_accuracy is not None else ""
        click.echo(f"{out / MODEL}: epoch {kept.epoch} of {len(history)}{held}")
