"""The command line's shell: finds commands by name and imports one only when it is run.

`fer-edge --help` asks every command for its line, so the short help stands here, and neither
TensorFlow nor OpenCV is imported to print it.
"""

from __future__ import annotations

import io
import sys

import click

import fer_edge
from fer_edge.commands.usage import describe_os_error
from fer_edge.errors import FerEdgeError
from fer_edge.lazy import load
from fer_edge.text.terminal import guard_terminal

COMMANDS = {
    "data": (
        "fer_edge.train.commands.data:data",
        "Inspect a data set; preview its augmented images; cut faces out of photos.",
    ),
    "train": ("fer_edge.train.commands.train:train", "Train a model on a data set."),
    "average": ("fer_edge.train.commands.average:average", "Average the weights of runs that began alike."),
    "evaluate": ("fer_edge.train.commands.evaluate:evaluate", "Measure a .keras or .tflite model on a split."),
    "explain": ("fer_edge.train.commands.explain:explain", "Draw what a model looks at, and a report of it."),
    "models": ("fer_edge.train.commands.models:models", "List the shipped models and the zoo."),
    "convert": ("fer_edge.convert.commands.convert:convert", "Turn a network into a verified int8 TFLite file."),
    "micro": ("fer_edge.convert.commands.micro:micro", "Write C++ sources for a microcontroller."),
    "image": ("fer_edge.device.commands.image:image", "Find faces and expressions in photos."),
    "analyze": ("fer_edge.device.commands.analyze:analyze", "Find faces in an archive of images and videos; tables."),
    "run": ("fer_edge.device.commands.run:run", "Run the camera loop: faces, boxes, expressions."),
    "serve": ("fer_edge.device.commands.serve:serve", "Serve the live page without a camera of its own."),
    "bench": ("fer_edge.device.commands.bench:bench", "Measure latency on this machine."),
    "deploy": ("fer_edge.device.commands.deploy:deploy", "Install and start fer-edge on a Raspberry Pi over ssh."),
    "fleet": ("fer_edge.device.commands.fleet:fleet", "See how several machines are; list them for Prometheus."),
    "doctor": ("fer_edge.device.commands.doctor:doctor", "Check whether this device is ready; say what mends it."),
}
"""Command name -> (module:attribute, its line in ``fer-edge --help``)."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command called `cmd_name`."""
        if cmd_name not in COMMANDS:
            return None
        command = load(COMMANDS[cmd_name][0])
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what a user can cause becomes one line and exit status 1."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="surrogateescape")  # file names are bytes, and need be no text
        guard_terminal()
        try:
            return super().invoke(ctx)
        except FerEdgeError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:
            raise  # click ends quietly when the reader of our output has gone
        except OSError as error:
            raise click.ClickException(describe_os_error(error)) from error


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(fer_edge.__version__, prog_name="fer-edge")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Facial expression recognition from a data set to a Raspberry Pi, measured honestly.

    Train a compact network, convert it to a verified int8 TFLite file, run it on a camera, and
    measure accuracy and latency where it runs. It classifies expressions; it does not read feelings.
    """
    ctx.obj = fer_edge  # the library, for commands whose own package may not know all that it offers
