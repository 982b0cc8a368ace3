"""``fer-edge run``."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from fer_edge.device.commands.options import (
    ListenAddress,
    MqttUrl,
    SourceSpec,
    models_option,
    refuse_overwriting,
)
from fer_edge.device.outputs.address import Broker, Listen
from fer_edge.device.service.signals import StopSignals
from fer_edge.device.service.watchdog import Watchdog
from fer_edge.device.web.options import serving, serving_options
from fer_edge.errors import FerEdgeError
from fer_edge.lazy import require

if TYPE_CHECKING:
    from fer_edge.device.results import FrameResult


@click.command()
@click.option(
    "--source",
    type=SourceSpec(),
    help="picamera2, a webcam's number, a video file, a folder of photos, a URL, or demo (demo:live at a camera's "
    "pace). Default: picamera2 where it is installed, else 0.",
)
@models_option
@click.option(
    "--skin",
    default="static",
    show_default=True,
    type=click.Choice(("off", "static", "ellipse", "adaptive")),
    help="Look for small faces mainly where skin is, by one of three models, or everywhere.",
)
@click.option(
    "--detector",
    default="haar",
    show_default=True,
    type=click.Choice(("haar", "yunet")),
    help="What finds faces: OpenCV's Haar cascade, or a YuNet model.",
)
@click.option(
    "--detector-model",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The YuNet model, an ONNX file.",
)
@click.option("--frames", type=click.IntRange(1), help="Stop after so many pictures.")
@click.option("--loop", is_flag=True, help="Play a file or folder again and again.")
@click.option("--jsonl", metavar="FILE", help="Write one JSON line a picture; - is standard output.")
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
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def run(
    ctx: click.Context,
    source: str | None,
    models: tuple[Path, ...],
    skin: str,
    detector: str,
    detector_model: Path | None,
    frames: int | None,
    loop: bool,
    jsonl: str | None,
    save: Path | None,
    snapshots: Path | None,
    mqtt: Broker | None,
    metrics: Listen | None,
    serve: Listen | None,
    token: str | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    display: bool,
    threads: int,
    as_json: bool,
) -> None:
    """Run the camera loop: find faces, follow them, and say what they express.

    Ends with the source, after --frames, or on Ctrl-C or SIGTERM, and then prints how many pictures it worked on and
    how long each stage took. Live sources skip pictures when the machine is too slow, files never.
    """
    if as_json and jsonl == "-":
        raise click.UsageError("--json and --jsonl - would both write to standard output; give --jsonl a file")
    if (detector == "yunet") != (detector_model is not None):
        raise click.UsageError("--detector yunet and --detector-model FILE go together; give both or neither")
    if detector == "yunet" and skin != "off" and ctx.get_parameter_source("skin") is ParameterSource.COMMANDLINE:
        raise click.UsageError(f"--detector yunet searches the whole picture and takes no --skin {skin}; leave it out")
    page = serving(serve, token, tls_cert, tls_key)
    inputs = {"--source": source, "--detector-model": detector_model, "--tls-cert": tls_cert, "--tls-key": tls_key}
    inputs |= {f"--model {model}": model for model in models}
    refuse_overwriting({"--jsonl": jsonl, "--save": save}, inputs)
    with StopSignals() as stop, contextlib.ExitStack() as stack:
        require("cv2", "device")
        if page:
            from fer_edge.device.web.opening import open_page, paced
        from fer_edge.device.classify import open_models
        from fer_edge.device.detection.yunet import YuNet
        from fer_edge.device.outputs.opening import Wanted, open_outputs
        from fer_edge.device.pipeline import Pipeline
        from fer_edge.device.sources import Repeated, open_source
        from fer_edge.device.summary import Summary, to_text

        classifiers = open_models(models, threads)
        opened = stack.enter_context(stop.wait_for(lambda: open_source(source)))
        played = Repeated(opened) if loop and not opened.live else opened
        if page:
            played = paced(played, lambda: stop.requested)
        yunet = YuNet(detector_model) if detector_model else None
        skin = "off" if yunet else skin  # YuNet searches the whole picture whatever its skin
        watchdog = Watchdog()
        pipeline = Pipeline(
            played,
            classifiers,
            skin=skin,
            detector=yunet,
            stop=lambda: stop.requested,
            waiting=lambda silent_s: watchdog.beat(),
        )
        wanted = Wanted(jsonl, save, snapshots, mqtt, metrics, display)
        opening = open_outputs(
            wanted, played, classifiers[0].info.labels, lambda: pipeline.counters, lambda: stop.requested
        )
        outputs = [stack.enter_context(output) for output in opening]
        if page:
            outputs.append(stack.enter_context(open_page(page, models, opened.name, pipeline)))
        stack.enter_context(pipeline)
        stack.callback(watchdog.stopping)
        progress = _Progress(shown=jsonl != "-")
        summary = Summary()

        def finish() -> None:
            progress.clear()
            left_out = {output.name: output.dropped for output in outputs if output.dropped}
            figures = {"source": opened.name, "models": [str(model) for model in models], "skin": skin}
            figures |= summary.to_dict(pipeline.counters) | {"dropped_by_outputs": left_out}
            click.echo(json.dumps(figures) if as_json else to_text(figures), err=jsonl == "-")
            for name, count in left_out.items():
                click.echo(f"{name}: could not keep up, {count} left out", err=True)

        try:
            for result in itertools.islice(pipeline, frames):
                for output in outputs:
                    output.write(result)
                summary.add(result)
                progress.show(result, summary.frames)
                watchdog.beat()
                if any(output.dismissed for output in outputs):
                    break
        except FerEdgeError:
            finish()  # what was done until then, before the shell says why it ended
            raise
        finish()


class _Progress:
    """A line on standard error, renewed each second on a terminal and added every 10 seconds elsewhere."""

    def __init__(self, shown: bool) -> None:
        self._terminal = sys.stderr.isatty()
        self._interval = (1.0 if self._terminal else 10.0) if shown else float("inf")
        self._since, self._frames = time.monotonic(), 0

    def show(self, result: FrameResult, frames: int) -> None:
        now = time.monotonic()
        if now - self._since < self._interval:
            return
        rate = (frames - self._frames) / (now - self._since)
        faces = ", ".join(f"{face.label} {face.score:.2f}" for face in result.faces) or "no face"
        line = f"frame {result.index}, {rate:.1f} per second, {faces}"
        click.echo(f"\r\x1b[K{line[:100]}" if self._terminal else line, nl=not self._terminal, err=True)
        self._since, self._frames = now, frames

    def clear(self) -> None:
        if self._terminal and self._interval < float("inf"):
            click.echo("\r\x1b[K", nl=False, err=True)
