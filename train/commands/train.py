"""``fer-edge train``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from fer_edge.commands.types import ModelPath
from fer_edge.commands.usage import as_usage_error
from fer_edge.errors import ConfigError
from fer_edge.train.commands.faces import FACE, train_faces
from fer_edge.train.commands.options import DATA, FACES, FERPLUS, MAP
from fer_edge.train.commands.settings import given_by_hand, setting_options
from fer_edge.train.recipe import SETTINGS
from fer_edge.train.runs.config import TrainConfig
from fer_edge.train.settings import settings_of

FOLDER = click.Path(file_okay=False, path_type=Path)
RUN = click.Path(exists=True, file_okay=False, path_type=Path)
VOTES = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@DATA
@click.option("--out", required=True, type=FOLDER, help="Leave the run in this folder.")
@click.option("--resume", is_flag=True, help="Continue the killed run in --out with the same arguments.")
@click.option("--recipe", metavar="NAME", help="Take the settings of a shipped recipe or .yaml file; options win.")
@click.option(
    "--preset", metavar="NAME", help="Take those of a published system: jain, khopkar, aucairo, ioannou, stanford."
)
@click.option("--needs-from", type=RUN, help="Take what the recipe needs from this folder, if it is there.")
@FERPLUS
@click.option(
    "--auxiliary-ferplus",
    type=VOTES,
    metavar="FILE",
    help="Learn the votes of FER+ (fer2013new.csv) with a second output, which only training has.",
)
@click.option(
    "--fused-ferplus",
    type=VOTES,
    metavar="FILE",
    help="Mix the votes of FER+ (fer2013new.csv) with FER2013's labels into one target for each image.",
)
@MAP
@FACES
@setting_options([*settings_of(TrainConfig).values(), *SETTINGS.values()])
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    type=ModelPath(),
    help="Learn from this .keras or int8 .tflite file, or shipped model, as well; may be given several times.",
)
@click.option(
    "--start-from",
    type=ModelPath(),
    help="Begin with the weights of this .keras or int8 .tflite file, or shipped model; for other classes, all but the "
    "last layer's.",
)
@click.option(
    "--temperature-from",
    type=RUN,
    metavar="RUN",
    help="With --holdout 0: fold in the temperature that this run, of the same recipe, found on what it held out.",
)
@click.option("--tensorboard", type=FOLDER, help="Write TensorBoard logs into this folder as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def train(context: click.Context, /, data: str, as_json: bool, **_: Any) -> None:
    """Train a model on DATA and leave it in the folder --out.

    DATA is a fer2013.csv, a folder or zip of pictures, 'demo', or several joined with '+'. The folder gets
    model.keras, history.csv, curves.png, run.json and a checkpoint after every epoch. Images that occur in a test
    split as well are dropped. What a --recipe needs is trained first, in folders below; to continue after an
    interruption, repeat the command.

    With --model face, train the two networks of the face detector. DATA is then a set of images with boxes around
    faces: JSON lines, WIDER FACE, Pascal VOC, YOLO or COCO. Only --out, --seed, --resume and --json may be given.
    """
    if context.params["model"] == FACE:
        train_faces(context, as_json)
        return
    from fer_edge.train import api

    with as_usage_error():
        config = configuration_of(context)
    with _saying_how_to_go_on(config):
        outcome = api.train(config, data, note=lambda text: click.echo(f"note: {text}", err=True))
    click.echo(outcome.to_json() if as_json else outcome.to_text())


def configuration_of(context: click.Context) -> TrainConfig:
    """Return what the options of a command line ask for.

    Raises:
        ConfigError: they contradict each other, or one would have no effect.
        DataError: the recipe file is none.
    """
    from fer_edge.train.runs.configure import NAMES, configure
    from fer_edge.train.runs.recipe_file import find_preset, find_recipe, read_recipe

    recipe, preset = context.params["recipe"], context.params["preset"]
    if recipe and preset:
        raise ConfigError("preset", "`preset` names a recipe as well: give it or `recipe`")
    path = find_recipe(recipe) if recipe else find_preset(preset) if preset else None
    given = given_by_hand(context, NAMES & context.params.keys())
    if "mapping" in given:
        given["mapping"] = dict(given["mapping"])
    return configure(context.params["out"], read_recipe(path) if path else None, given)


@contextmanager
def _saying_how_to_go_on(config: TrainConfig) -> Iterator[None]:
    """Say after Ctrl-C whether anything is kept, and how to go on."""
    from fer_edge.train.loop.run_folder import CHECKPOINT

    try:
        yield
    except KeyboardInterrupt as interrupt:
        if config.repeatable:
            said = "interrupted; what is done is kept, go on with the same command"
        elif (config.out / CHECKPOINT).exists():
            said = f"interrupted; what is done is kept in {config.out}, go on with the same arguments and --resume"
        else:
            said = "interrupted before an epoch was done; nothing is kept, start again with the same arguments"
        raise click.ClickException(said) from interrupt
