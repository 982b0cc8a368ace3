"""The longer groups of options of ``fer-edge train``: what is done to the images, and what is learned from teachers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from fer_edge.commands.types import ModelPath
from fer_edge.train.commands.options import SHARE, Finite

_AUGMENTATION = (
    click.option("--flip/--no-flip", default=True, show_default=True, help="Mirror half of the images."),
    click.option("--rotation", default=12.0, show_default=True, type=Finite(0, 180), help="Up to, in degrees."),
    click.option("--scale", default=0.2, show_default=True, type=Finite(0, 4), help="0.2 zooms from 1/1.2 to 1.2."),
    click.option(
        "--smaller", default=0.0, show_default=True, type=Finite(0, 4), help="How much smaller still; 0.2 by 1/1.2."
    ),
    click.option("--shift", default=0.08, show_default=True, type=SHARE, help="Up to, as a share of the side."),
    click.option("--contrast", default=0.2, show_default=True, type=SHARE, help="Contrast and brightness, up to."),
    click.option("--glasses", default=0.0, show_default=True, type=SHARE, help="Share of images with drawn glasses."),
    click.option(
        "--shear", default=0.0, show_default=True, type=SHARE, help="Share of images sheared like a turned head."
    ),
    click.option("--vignette", default=0.0, show_default=True, type=SHARE, help="Share of images with dark corners."),
    click.option("--sharpness", default=0.0, show_default=True, type=SHARE, help="Share of images sharpened."),
    click.option(
        "--light", default=0.0, show_default=True, type=SHARE, help="Share of images darkened or over-exposed."
    ),
    click.option("--blur", default=0.0, show_default=True, type=SHARE, help="Share of images blurred."),
    click.option("--noise", default=0.0, show_default=True, type=SHARE, help="Share of images with Gaussian noise."),
    click.option(
        "--erasing", default=0.25, show_default=True, type=SHARE, help="Share of images with an erased patch."
    ),
    click.option("--mixup", default=0.15, show_default=True, type=SHARE, help="Share of batches mixed pairwise."),
    click.option(
        "--cutmix", default=0.0, show_default=True, type=SHARE, help="Share of batches with pasted rectangles."
    ),
)
_TEACHERS = (
    click.option(
        "--teacher",
        "teachers",
        multiple=True,
        type=ModelPath(),
        help="Learn from this .keras or int8 .tflite file, or shipped model, as well; may be given several times.",
    ),
    click.option("--teacher-share", default=0.7, show_default=True, type=Finite(0, 1), help="Of the loss."),
    click.option(
        "--temperature", default=2.0, show_default=True, type=Finite(0.1, 100), help="Softens teachers and student."
    ),
    click.option(
        "--views", default=16, show_default=True, type=click.IntRange(1), help="Augmented views for teachers."
    ),
    click.option(
        "--mixed-views",
        default=0.0,
        show_default=True,
        type=Finite(0, 1),
        help="Share of a view's images that are mixed with another before the teachers look.",
    ),
)


def of_augmentation(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that make a `fer_edge.train.augment.augmenter.Augmentation`."""
    return _with(command, _AUGMENTATION)


def of_teachers(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that make a `fer_edge.train.recipe.Distillation`."""
    return _with(command, _TEACHERS)


def _with(command: Callable[..., Any], options: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
    for option in reversed(options):  # the last decorator is applied first
        command = option(command)
    return command
