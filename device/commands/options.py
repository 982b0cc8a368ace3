"""Values that several commands take."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from fer_edge.commands.logs import current_logs
from fer_edge.commands.types import ModelPath
from fer_edge.device.outputs.address import BROKER_FORM, Broker, Listen, parse_broker, parse_listen
from fer_edge.device.web.serving import is_loopback
from fer_edge.device.web.token import kept_token
from fer_edge.shipped import DEFAULT
from fer_edge.text.address import ENVIRONMENT, without_secrets

Command = TypeVar("Command", bound=Callable[..., Any])

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


upright_option = click.option(
    "--upright", is_flag=True, help="Turn crops upright, framed by eyes and mouth; with --detector face or yunet."
)
"""``--upright``."""

prior_option = click.option(
    "--prior",
    metavar="PRIOR",
    show_default="the model's",
    help="How common expressions are: uniform, fer2013, LABEL=SHARE,... or a JSON file of {label: share}.",
)
"""``--prior``."""


class Share(click.FloatRange):
    """A number from 0 to 1; not NaN, which every range lets pass."""

    def __init__(self) -> None:
        super().__init__(0, 1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        number = float(super().convert(value, param, ctx))
        if number != number:
            self.fail(f"{value} is not in the range 0<=x<=1.", param, ctx)
        return number


min_quality_option = click.option(
    "--min-quality",
    default=0.0,
    show_default=True,
    type=Share(),
    help="Leave out faces of a lower quality, 0 to 1; 0.5 those too small, dark, blurred, turned or covered.",
)
"""``--min-quality``."""


def detector_options(command: Command) -> Command:
    """Add ``--detector`` and ``--detector-model``, which every command that finds faces takes."""
    for option in (
        click.option(
            "--detector-model",
            metavar="FILE",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="The YuNet model, an ONNX file.",
        ),
        click.option(
            "--detector",
            default="haar",
            show_default=True,
            type=click.Choice(("haar", "face", "yunet")),
            help="What finds faces: OpenCV's Haar cascade; two networks, at any tilt; or a YuNet model.",
        ),
    ):
        command = option(command)
    return command


def mounting_options(command: Command) -> Command:
    """Add ``--rotate``, ``--flip``, ``--size``, ``--fps`` and ``--roi``: the camera as it hangs."""
    for option in (
        click.option(
            "--roi",
            type=click.UNPROCESSED,
            metavar="X,Y,W,H",
            help="Use only this part of the frame, in shares of it, 0..1.",
        ),
        click.option(
            "--fps",
            type=float,
            help="Frames per second to ask the camera for, or of a raw stream (.h264, .mjpeg), which stores no times.",
        ),
        click.option(
            "--size",
            type=click.UNPROCESSED,
            metavar="WxH",
            help="Size to ask the camera for, in pixels; larger frames are shrunk.",
        ),
        click.option("--flip", is_flag=True, help="Mirror the frames, left to right."),
        click.option(
            "--rotate",
            type=click.Choice((0, 90, 180, 270)),
            default=0,
            show_default=True,
            help="Turn the frames clockwise by so many degrees.",
        ),
    ):
        command = option(command)
    return command


class SourceSpec(click.ParamType[str]):
    """A ``--source`` value, refused if it is empty or names a file that does not exist."""

    name = "SOURCE"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the value as it is."""
        value = str(value)  # a file of options has the number of a webcam
        camera = value == "picamera2" or value.removeprefix("/dev/video").isdecimal()
        known = camera or value in ("demo", "demo:live") or "://" in value
        if not known and not (value and Path(value).exists()):  # an empty path is the current folder's
            self.fail(
                f"'{without_secrets(value)}' does not exist; expected picamera2, a webcam's number, demo, a file, a "
                "folder or a URL",
                param,
                ctx,
            )
        return value


def source_option(help: str, default: str | None = None) -> Callable[[Command], Command]:
    """Return ``--source``, which may also be in the environment: there the password of an address is not shown."""
    return click.option(
        "--source",
        envvar=ENVIRONMENT,
        show_envvar=True,
        default=default,
        show_default=default is not None,
        type=SourceSpec(),
        help=help,
    )


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

    def convert(self, value: str | int | Listen, param: click.Parameter | None, ctx: click.Context | None) -> Listen:
        """Return the address."""
        if isinstance(value, Listen):
            return value
        try:
            return parse_listen(str(value))
        except ValueError as error:
            self.fail(f"'{value}': {error}", param, ctx)


class Page:
    """How visitors of the live page get in, and what is said of it."""

    def __init__(self, listen: Listen | None, token: str | None) -> None:
        """Take the token that was given; where the address needs one and none was, take the one that is kept."""
        self.token, self._file = token, None
        if token is None and listen is not None and not is_loopback(listen.host):
            self.token, self._file = kept_token()

    def say(self, url: str, more: str = "") -> None:
        """Say the address on standard error; the token itself only to who sits there, since journals are kept."""
        token = ""
        if self._file is not None:
            token = f" (its token: {self.token if sys.stderr.isatty() else f'in {self._file}'})"
        current_logs().say(f"live page: {url}{token}{more}", {"url": url})


def serving_options(command: Command) -> Command:
    """Add ``--token``, ``--tls-cert`` and ``--tls-key``."""
    pem = click.Path(exists=True, dir_okay=False, path_type=Path)
    for option in (
        click.option("--tls-key", metavar="FILE", type=pem, help="The live page's key, PEM."),
        click.option("--tls-cert", metavar="FILE", type=pem, help="The live page's certificate, PEM, for https."),
        click.option(
            "--token",
            envvar="FER_EDGE_TOKEN",
            show_envvar=True,
            help="What visitors of the live page must show. Made up and kept where the address is not 127.0.0.1.",
        ),
    ):
        command = option(command)
    return command
