"""Values that several commands take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from fer_edge.device.outputs.address import BROKER_FORM, Broker, Listen, parse_broker, parse_listen
from fer_edge.lazy import require
from fer_edge.shipped import DEFAULT, ModelPath

models_option = click.option(
    "--model",
    "models",
    multiple=True,
    default=(DEFAULT,),
    show_default=True,
    type=ModelPath(),
    help="A shipped model, or an int8 .tflite file. Several are averaged.",
)
"""``--model``, more than once."""


class SourceSpec(click.ParamType[str]):
    """A ``--source`` value, refused if it is empty or names a file that does not exist."""

    name = "SOURCE"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the value as it is."""
        camera = value == "picamera2" or value.removeprefix("/dev/video").isdecimal()
        known = camera or value in ("demo", "demo:live") or "://" in value
        if not known and not (value and Path(value).exists()):  # an empty path is the current folder's
            self.fail(
                f"'{value}' does not exist; expected picamera2, a webcam's number, demo, a file, a folder or a URL",
                param,
                ctx,
            )
        return value


class MqttUrl(click.ParamType[Broker]):
    """An ``--mqtt`` value; a refusal does not repeat it, because it may hold a password."""

    name = "URL"

    def convert(self, value: str | Broker, param: click.Parameter | None, ctx: click.Context | None) -> Broker:
        """Return the broker."""
        if isinstance(value, Broker):
            return value
        try:
            return parse_broker(value)
        except ValueError as error:
            self.fail(f"{error}; expected {BROKER_FORM}", param, ctx)


class ListenAddress(click.ParamType[Listen]):
    """A ``--metrics`` value."""

    name = "[HOST:]PORT"

    def convert(self, value: str | Listen, param: click.Parameter | None, ctx: click.Context | None) -> Listen:
        """Return the address."""
        if isinstance(value, Listen):
            return value
        try:
            return parse_listen(value)
        except ValueError as error:
            self.fail(f"'{value}': {error}", param, ctx)


def refuse_overwriting(outputs: Mapping[str, str | Path | None], inputs: Mapping[str, str | Path | None]) -> None:
    """Raise click.UsageError where an output is an input, a photo of a folder that is one, or another output.

    Args:
        outputs: option -> file that will be written; None and ``-`` are none.
        inputs: option -> what will be read; what names no file counts for nothing.
    """
    written = [(option, Path(name)) for option, name in outputs.items() if name and name != "-"]
    read = [(option, Path(name)) for option, name in inputs.items() if name and Path(name).exists()]
    for number, (option, path) in enumerate(written):
        for other, another in [*read, *_photos(read if path.exists() else []), *written[:number]]:
            if _same(path, another):
                raise click.UsageError(f"{other} and {option} name the same file twice ({path}); give each its own")


def _same(path: Path, other: Path) -> bool:
    if path.exists() and other.exists():
        return path.samefile(other)  # whatever link leads there
    return path.resolve() == other.resolve()


def _photos(read: list[tuple[str, Path]]) -> Iterator[tuple[str, Path]]:
    for option, folder in read:
        if folder.is_dir():
            require("cv2", "device")
            from fer_edge.device.sources.folder import SUFFIXES

            yield from ((f"a photo of {option}", path) for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
