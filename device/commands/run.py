"""``fer-edge run``."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from fer_edge.commands.logs import current_logs, logging_options
from fer_edge.commands.modes import umask_option
from fer_edge.commands.usage import as_usage_error
from fer_edge.device.commands.config_option import config_option, make_config, present_config, print_config_option
from fer_edge.device.commands.options import (
    ListenAddress,
    MqttUrl,
    Page,
    detector_options,
    min_quality_option,
    models_option,
    mounting_options,
    prior_option,
    serving_options,
    source_option,
    upright_option,
)
from fer_edge.device.service.signals import HangUps, StopSignals
from fer_edge.device.service.watchdog import Watchdog

if TYPE_CHECKING:
    from fer_edge.device.results import FrameResult
    from fer_edge.device.run import Run


@click.command()
@source_option(
    "picamera2, a webcam's number or device, a video file, a folder of photos, a URL, or demo (demo:live at a camera's "
    "pace). Default: picamera2 where it is installed, else 0."
)
@models_option
@click.option(
    "--skin",
    show_default="static",
    type=click.Choice(("off", "static", "ellipse", "adaptive")),
    help="Look for small faces mainly where skin is, by one of three models, or everywhere.",
)
@detector_options
@upright_option
@prior_option
@click.option(
    "--baseline",
    metavar="SECONDS",
    type=float,
    help="Learn so many seconds of each face at rest, then show its scores as the deviation from that.",
)
@min_quality_option
@click.option("--frames", type=click.IntRange(1), help="Stop after so many pictures.")
@mounting_options
@click.option("--loop", is_flag=True, help="Play a file or folder again and again.")
@click.option("--jsonl", metavar="FILE", help="Write one JSON line a picture; - is standard output.")
@click.option("--csv", metavar="FILE", help="Write one row a face; - is standard output.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write an annotated video, .mkv.")
@click.option(
    "--snapshots",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a JPEG of each face that appears or changes its expression into this folder.",
)
@click.option(
    "--mqtt",
    envvar="FER_EDGE_MQTT",
    show_envvar=True,
    type=MqttUrl(),
    help="Publish changes to mqtt[s]://[USER:PASSWORD@]HOST[:PORT]/TOPIC, also for Home Assistant.",
)
@click.option(
    "--mqtt-hold",
    type=float,
    default=0.0,
    metavar="SECONDS",
    help="Publish a change when it has lasted for so many seconds.",
)
@click.option(
    "--mqtt-people",
    type=int,
    default=0,
    metavar="N",
    help="Publish what each of up to N people shows, each in a topic of their own.",
)
@click.option(
    "--metrics",
    type=ListenAddress(),
    help="Answer Prometheus at http://HOST:PORT/metrics, a port alone on 127.0.0.1.",
)
@click.option(
    "--serve", type=ListenAddress(), help="Show the live page at http://HOST:PORT, a port alone on 127.0.0.1."
)
@serving_options
@click.option("--display", is_flag=True, help="Show the pictures in a window; q closes it.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1, 64), help="Threads of the model.")
@config_option
@print_config_option
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@umask_option
@logging_options
@click.pass_context
def run(ctx: click.Context, /, as_json: bool, print_config: bool, **options: Any) -> None:
    """Run the camera loop: find faces, follow them, and say what they express.

    Ends with the source, after --frames, or on Ctrl-C or SIGTERM, and then prints how many pictures it worked on and
    how long each stage took. Live sources skip pictures when the machine is too slow, files never.
    """
    lines = {option: options[option] for option in ("jsonl", "csv") if options[option]}
    for option, target in lines.items():
        if as_json and target == "-":
            text = f"--json and --{option} - would both write to standard output; give --{option} a file"
            raise click.UsageError(text)
    if options["serve"] is None and ctx.get_parameter_source("token") is not ParameterSource.COMMANDLINE:
        options["token"] = None  # the environment may hold one for other commands
    if print_config:
        click.echo(present_config(ctx, options), nl=False)
        return
    lines_on_stdout = "-" in lines.values()
    with StopSignals() as stop, HangUps(awaited=any(target != "-" for target in lines.values())) as hang_ups:
        from fer_edge.device.run import Run

        page = Page(options["serve"], options["token"])
        options["token"] = page.token
        with as_usage_error():
            config = make_config(ctx, options)
        watchdog = Watchdog()

        def alive() -> None:
            watchdog.beat()
            hang_ups.pass_on(loop.reopen)

        with as_usage_error():  # a prior that the model's labels do not know
            loop = Run(config, stop=lambda: stop.requested, wait_for=stop.wait_for, alive=alive)
        if loop.page_url:
            page.say(loop.page_url)
        progress = _Progress(shown=not lines_on_stdout)
        try:
            with loop, watchdog:
                for number, result in enumerate(loop, 1):
                    watchdog.count()
                    progress.show(result, number)
        except BrokenPipeError:
            raise  # nobody reads any more
        except Exception:
            _say_summary(loop, progress, as_json)  # what was done until then, before the shell says why it ended
            raise
        _say_summary(loop, progress, as_json)


def _say_summary(loop: Run, progress: _Progress, as_json: bool) -> None:
    """Print the summary of a run whose outputs are closed."""
    from fer_edge.device.outputs.summary import to_text

    progress.clear()
    figures, logs = loop.summary(), current_logs()
    if as_json:
        click.echo(json.dumps(figures))
    elif logs.as_json:
        logs.say("summary", figures)
    elif not logs.quiet:
        click.echo(to_text(figures), err="-" in (loop.config.jsonl, loop.config.csv))
    for name, count in figures["dropped_by_outputs"].items():
        logs.say(f"{name}: could not keep up, {count} left out", {"output": name, "dropped": count})


class _Progress:
    """A line on standard error, renewed each second on a terminal and added every 10 seconds elsewhere."""

    def __init__(self, shown: bool) -> None:
        self._logs = current_logs()
        self._terminal = sys.stderr.isatty() and not self._logs.as_json
        self._interval = (1.0 if self._terminal else 10.0) if shown and not self._logs.quiet else float("inf")
        self._since, self._frames = time.monotonic(), 0

    def show(self, result: FrameResult, frames: int) -> None:
        now = time.monotonic()
        if now - self._since < self._interval:
            return
        rate = (frames - self._frames) / (now - self._since)
        from fer_edge.device.results import label_of

        faces = ", ".join(f"{face.id} {label_of(face)}" for face in result.faces) or "no face"
        line = f"frame {result.index}, {rate:.1f} per second, {faces}"
        if self._terminal:
            click.echo(f"\r\x1b[K{line[:100]}", nl=False, err=True)
        else:
            self._logs.say(line, {"frame": result.index, "fps": round(rate, 2), "faces": len(result.faces)})
        self._since, self._frames = now, frames

    def clear(self) -> None:
        if self._terminal and self._interval < float("inf"):
            click.echo("\r\x1b[K", nl=False, err=True)
