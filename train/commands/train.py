"""``fer-edge train``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fer_edge.commands.types import ModelPath
from fer_edge.train.commands.groups import of_augmentation, of_teachers
from fer_edge.train.commands.idle import refuse_idle
from fer_edge.train.commands.options import (
    DATA,
    FERPLUS,
    FERPLUS_TARGET,
    MAP,
    NOT_NEGATIVE,
    POSITIVE,
    SEED,
    SHARE,
    Finite,
)

if TYPE_CHECKING:
    from fer_edge.train.loop.history import Epoch
    from fer_edge.train.recipe import Distillation


def _use_preset(context: click.Context, _: click.Parameter, name: str | None) -> None:
    """Make a preset's values the defaults of the other options."""
    if name:
        from fer_edge.train.presets import PRESETS

        if name not in PRESETS:
            raise click.BadParameter(f"'{name}' is none of {', '.join(PRESETS)}")
        context.default_map = {**PRESETS[name], **(context.default_map or {})}


@click.command()
@DATA
@FERPLUS
@FERPLUS_TARGET
@MAP
@click.option(
    "--preset",
    is_eager=True,
    expose_value=False,
    callback=_use_preset,
    metavar="NAME",
    help="Settings of a published system: jain, khopkar, aucairo, ioannou or stanford; other options win.",
)
@click.option("--model", default="compact", show_default=True, metavar="NAME", help="One of the zoo, or a .yaml file.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of the run.")
@click.option("--resume", is_flag=True, help="Continue the killed run in --out with the same arguments.")
@click.option("--epochs", default=60, show_default=True, type=click.IntRange(1), help="Length of the schedule.")
@click.option("--batch-size", default=64, show_default=True, type=click.IntRange(2), help="Images a step.")
@click.option(
    "--optimizer",
    default="adamw",
    show_default=True,
    type=click.Choice(["adamw", "adam", "sgd", "muon"]),
    help="sgd: Nesterov; muon: for convolutions, at --learning-rate 1e-2 or more.",
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
@click.option("--weight-decay", default=0.01, show_default=True, type=Finite(0, 10), help="On kernels only.")
@click.option(
    "--sam", default=0.0, show_default=True, type=NOT_NEGATIVE, help="Radius; sharpness-aware, doubles a step."
)
@click.option("--label-smoothing", default=0.1, show_default=True, type=SHARE, help="Share spread over all classes.")
@click.option(
    "--auxiliary-ferplus",
    "auxiliary",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="FER+ votes (fer2013new.csv) for a second output that only training has.",
)
@click.option(
    "--auxiliary-share", default=0.5, show_default=True, type=POSITIVE, help="Weight of the second output's loss."
)
@click.option(
    "--fused-ferplus",
    "fused",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="FER+ votes (fer2013new.csv) to mix with FER2013's labels into one target for each image.",
)
@click.option("--fused-share", default=0.5, show_default=True, type=Finite(0, 1), help="Share of the votes in it.")
@click.option(
    "--class-weighting",
    default=0.0,
    show_default=True,
    type=Finite(0, 1),
    help="Weigh rare classes more: 1 all classes alike, 0 all images.",
)
@click.option("--ema-epochs", default=2.0, show_default=True, type=NOT_NEGATIVE, help="Averaging of weights; 0 off.")
@click.option("--dropout", default=0.2, show_default=True, type=SHARE, help="Before the last layer.")
@click.option("--patience", default=0, show_default=True, type=click.IntRange(0), help="Early stopping; 0 off.")
@click.option("--holdout", default=0.1, show_default=True, type=SHARE, help="Share of Training that chooses the epoch.")
@click.option("--keep-leaks", is_flag=True, help="Also train on images that occur in a test split.")
@click.option(
    "--resample",
    default="",
    type=click.Choice(["", "ros", "smote", "smote-tomek", "smote-enn"]),
    metavar="ros|smote|smote-tomek|smote-enn",
    help="Balance the classes of what is trained on, after the held-out part is away.",
)
@click.option(
    "--protocol",
    default="clean",
    show_default=True,
    type=click.Choice(["clean", "leaky-resample"]),
    help="leaky-resample balances all splits together before dividing them, as published claims did.",
)
@click.option(
    "--input-contrast",
    "contrast_normalisation",
    default="none",
    show_default=True,
    type=click.Choice(["none", "equalize", "clahe"]),
    help="Normalise every input, also on the device.",
)
@click.option("--clean", is_flag=True, help="Leave out blank images and those that occur under two labels.")
@of_augmentation
@click.option(
    "--symmetric", is_flag=True, help="Tie weights in pairs: the same answer for an image and its mirror image."
)
@click.option(
    "--precision",
    default="float32",
    show_default=True,
    type=click.Choice(["float32", "bfloat16"]),
    help="What layers compute in; bfloat16 is faster on newer processors.",
)
@of_teachers
@click.option(
    "--start-from",
    "start",
    type=ModelPath(),
    help="Begin with the weights of this .keras or int8 .tflite file, or shipped model; for other classes, all but the "
    "last layer's.",
)
@click.option(
    "--temperature-from",
    "calibrated",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="RUN",
    help="With --holdout 0: fold in the temperature that this run, of the same recipe, found on what it held out.",
)
@click.option("--seed", default=1, show_default=True, type=SEED, help="Of weights, order, augmentation.")
@click.option(
    "--tensorboard", type=click.Path(file_okay=False, path_type=Path), help="Folder for TensorBoard logs as well."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def train(
    context: click.Context,
    /,
    data: str,
    ferplus: Path | None,
    ferplus_target: str | None,
    auxiliary: Path | None,
    fused: Path | None,
    mapping: tuple[tuple[str, str], ...],
    model: str,
    out: Path,
    resume: bool,
    keep_leaks: bool,
    teachers: tuple[Path, ...],
    teacher_share: float,
    temperature: float,
    views: int,
    mixed_views: float,
    start: Path | None,
    calibrated: Path | None,
    protocol: str,
    contrast_normalisation: str,
    tensorboard: Path | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train a model on DATA and leave it in the folder --out.

    DATA is a fer2013.csv, a folder or zip of pictures, 'demo', or several joined with '+'. The folder gets
    model.keras, history.csv, curves.png, run.json and a checkpoint after every epoch. Images that occur in a test
    split as well are dropped.
    """
    from fer_edge.model_file import file_hash
    from fer_edge.train.augment.augmenter import Augmentation
    from fer_edge.train.commands.outcome import Outcome
    from fer_edge.train.data.load import load_dataset
    from fer_edge.train.distill.teacher_predictions import open_teachers, predictions_kept
    from fer_edge.train.loop.finish import read_calibration
    from fer_edge.train.loop.run_folder import CHECKPOINT
    from fer_edge.train.loop.training import train_model
    from fer_edge.train.recipe import Recipe
    from fer_edge.train.zoo.registry import ZOO, find_architecture

    if model not in ZOO and not Path(model).is_file():
        raise click.BadParameter(
            f"'{model}' is not in the zoo ({', '.join(ZOO)}), nor a YAML file", param_hint="--model"
        )
    architecture = find_architecture(model)
    if settings["schedule"] == "plateau" and not settings["holdout"]:
        raise click.UsageError("--schedule plateau follows the held-out accuracy; give a --holdout above 0")
    settings |= refuse_idle(context, fixed_dropout=architecture.description.get("dropout") is not None)
    if calibrated and settings["holdout"]:
        raise click.UsageError("--temperature-from is for --holdout 0; a run that holds out finds its own temperature")
    leaky = protocol == "leaky-resample"
    if leaky and ferplus and ferplus_target != "majority":
        raise click.UsageError("--protocol leaky-resample knows labels only: give --ferplus-target majority")
    if leaky and not settings["resample"]:
        raise click.UsageError("--protocol leaky-resample needs the method: give --resample too")
    augmentation = Augmentation(**{field.name: settings.pop(field.name) for field in dataclasses.fields(Augmentation)})
    if auxiliary and (settings["resample"] or ferplus):
        raise click.UsageError("--auxiliary-ferplus is for FER2013 as it is: no --resample, no --ferplus")
    if fused and (settings["resample"] or ferplus or auxiliary):
        raise click.UsageError("--fused-ferplus takes no --resample, no --ferplus and no --auxiliary-ferplus beside it")
    if ferplus_target and not ferplus:
        raise click.UsageError("--ferplus-target is about the votes of FER+: give --ferplus too")
    soft = ferplus_target != "majority"
    mixed = (fused, settings["fused_share"]) if fused else None
    dataset = load_dataset(data, ferplus, soft=soft, mapping=dict(mapping), auxiliary=auxiliary, fused=mixed)
    held_out = None
    if leaky:
        from fer_edge.train.data.balance import leaky_resample
        from fer_edge.train.data.dataset import PRIVATE_TEST

        method = settings.pop("resample")
        settings["protocol"] = f"{protocol}, {method}"
        dataset = leaky_resample(dataset, method, settings["seed"], drop_duplicates=True)
        # What decides inside the run leaks as well, as behind the claims; an honest part would keep another epoch.
        held_out = dataset.split(PRIVATE_TEST) if settings["holdout"] else None
    recipe = Recipe(
        augmentation=augmentation,
        drop_leaks=not keep_leaks and not leaky,
        contrast=contrast_normalisation,
        draw_labels=ferplus_target == "probability",
        distillation=_distillation(teachers, teacher_share, temperature, views, mixed_views),
        start=file_hash(start) if start else "",
        **settings,
    )
    for note in dataset.notes:
        click.echo(f"note: {note}", err=True)
    like = None
    if calibrated:
        like = read_calibration(calibrated, architecture.name, dataset.fingerprint, recipe.to_dict())
    opened = open_teachers(teachers, dataset.labels, architecture.input_size)
    try:
        with _logging_to(tensorboard) as watch:
            history = train_model(
                dataset,
                model,
                recipe,
                out,
                resume=resume,
                teachers=opened,
                held_out=held_out,
                start=start,
                calibrated_like=like,
                watch=watch,
            )
    except KeyboardInterrupt as interrupt:
        if (out / CHECKPOINT).exists():
            said = f"interrupted; what is done is kept in {out}, go on with the same arguments and --resume"
        else:
            said = "interrupted before an epoch was done; nothing is kept, start again with the same arguments"
        raise click.ClickException(said) from interrupt
    if opened:
        folder, size = predictions_kept()
        said = f"{folder} holds {size / 1e6:,.0f} MB of teachers' views, for other students; it may be deleted"
        click.echo(f"note: {said}", err=True)
    outcome = Outcome.of(out, history, recipe.epochs, dataset if leaky else None)
    click.echo(outcome.to_json() if as_json else outcome.to_text())


def _distillation(
    teachers: tuple[Path, ...], share: float, temperature: float, views: int, mixed: float
) -> Distillation | None:
    from fer_edge.model_file import file_hash
    from fer_edge.train.recipe import Distillation

    hashes = tuple(map(file_hash, teachers))
    return Distillation(hashes, share, temperature, views, mixed) if teachers else None


@contextmanager
def _logging_to(folder: Path | None) -> Iterator[Callable[[Epoch], None] | None]:
    if folder is None:
        yield None
        return
    from fer_edge.train.loop.display import TensorBoardLog

    folder.mkdir(parents=True, exist_ok=True)  # TensorFlow's own error, where it cannot, is none of the system's
    with TensorBoardLog(folder) as log:
        yield lambda epoch: log.epoch(dataclasses.asdict(epoch))
