"""How the command line's choice becomes outputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fer_edge.device.outputs.address import Broker, Listen
from fer_edge.device.outputs.base import Output
from fer_edge.device.sources.base import Source
from fer_edge.lazy import require

if TYPE_CHECKING:
    from fer_edge.device.results import Counters
    from fer_edge.runtime import TFLiteModel

QUEUED_PICTURES = 4
"""Pictures that may wait for a slow disk; at 640 x 480 each takes 460 KB."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What was asked for; by default nothing is written and nothing leaves the process.

    Attributes:
        jsonl: path of the JSON lines, ``-`` for standard output.
        csv: path of the table of faces, likewise.
        save: path of the annotated video.
        snapshots: folder of the faces whose expression changed.
        mqtt: broker and topic to publish to.
        mqtt_hold: seconds for which a change must last before it is published.
        mqtt_people: number of people with a topic of their own.
        metrics: address at which Prometheus may ask.
        display: whether to open a window.
    """

    jsonl: str | None = None
    csv: str | None = None
    save: Path | None = None
    snapshots: Path | None = None
    mqtt: Broker | None = None
    mqtt_hold: float = 0.0
    mqtt_people: int = 0
    metrics: Listen | None = None
    display: bool = False


def open_outputs(
    wanted: Wanted,
    source: Source,
    models: Sequence[TFLiteModel],
    counters: Callable[[], Counters],
    stop: Callable[[], bool],
) -> Iterator[Output]:
    """Open the outputs one by one, so that the caller can enter each before the next one may fail.

    Args:
        wanted: which.
        source: where the pictures come from; of a live one, no output may hold up the loop.
        models: that say what the faces express.
        counters: what happened to the pictures so far.
        stop: whether the run is to end.

    Raises:
        OutputError: one cannot be opened.
        ModelFileError: the metrics show a model whose file cannot be read any more.
        MissingExtraError: one needs a package that is not installed.
    """
    # Each kind is imported when it is asked for, because several need packages of their own.
    from fer_edge.device.outputs.background import Background

    labels = models[0].info.labels
    opened: list[Output] = []

    def add(output: Output) -> Output:
        opened.append(output)
        return output

    def in_background(output: Output) -> Output:
        return add(Background(output, QUEUED_PICTURES, live=source.live, stop=stop))

    if wanted.jsonl:
        from fer_edge.device.outputs.jsonl import JsonLines

        yield add(JsonLines(wanted.jsonl, live=source.live, stop=stop))
    if wanted.csv:
        from fer_edge.device.outputs.table import CsvLines

        yield add(CsvLines(wanted.csv, labels, live=source.live, stop=stop))
    if wanted.save:
        from fer_edge.device.outputs.video import VideoOutput

        # A live source's pictures come as the loop takes them, not at its rate.
        yield in_background(VideoOutput(wanted.save, None if source.live else source.fps))
    if wanted.snapshots:
        from fer_edge.device.outputs.snapshots import Snapshots

        yield in_background(Snapshots(wanted.snapshots))
    if wanted.mqtt:
        require("paho.mqtt.client", "mqtt")
        from fer_edge.device.outputs.mqtt import MqttOutput

        yield add(MqttOutput(wanted.mqtt, labels, wanted.mqtt_hold, wanted.mqtt_people, source.stills))
    if wanted.display:
        from fer_edge.device.outputs.window import Window

        yield add(Window())
    if wanted.metrics:
        require("prometheus_client", "metrics")
        from fer_edge.device.outputs.metrics import Metrics

        yield Metrics(wanted.metrics, labels, counters, opened, models)
