"""Counts and times for Prometheus, at ``http://HOST:PORT/metrics``."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import prometheus_client
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

import fer_edge
from fer_edge.device.outputs.address import Listen
from fer_edge.device.outputs.base import Output
from fer_edge.device.outputs.metrics_server import MetricsServer
from fer_edge.device.results import STAGES, FrameResult
from fer_edge.device.sources.base import SILENCE_TIMEOUT_S
from fer_edge.errors import OutputError
from fer_edge.model_file import file_hash
from fer_edge.shipped import shipped_models

if TYPE_CHECKING:
    from fer_edge.device.results import Counters
    from fer_edge.runtime import TFLiteModel

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper limits of the histogram's buckets in seconds: a stage takes a millisecond here, a second on the oldest Pi."""

DIGITS = 12
"""Of a model file's SHA-256, enough to tell one from another."""

SYSFS = Path("/sys")

HELD_BACK = ("under_voltage", "frequency_capped", "throttled", "soft_temperature_limit")
"""What the lowest four bits of the firmware's answer mean, from the lowest, as Raspberry Pi's documentation of
``vcgencmd get_throttled`` has them."""


class Metrics(Output):
    """Answers a Prometheus server in threads of its own; the loop only counts."""

    name = "metrics"

    def __init__(
        self,
        listen: Listen,
        labels: Sequence[str],
        counters: Callable[[], Counters],
        outputs: Sequence[Output],
        models: Sequence[TFLiteModel],
        sysfs: Path = SYSFS,
    ) -> None:
        """Begin to answer.

        Args:
            listen: where.
            labels: the expressions that may come.
            counters: asked for what happened to the pictures so far.
            outputs: whose own drops are shown.
            models: that answer; their names and hashes are shown.
            sysfs: where the kernel tells of the machine; what it does not tell is not shown.

        Raises:
            OutputError: the address is taken, or not this machine's.
            ModelFileError: the file of a model cannot be read any more.
        """
        # When a series began is of no use to anybody here, and doubles their number.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        registry = prometheus_client.CollectorRegistry()
        registry.register(_Asked(counters, outputs, sysfs))
        prometheus_client.ProcessCollector(registry=registry)
        about = prometheus_client.Info("fer_edge", "What runs where; the value is always 1.", registry=registry)
        about.info(_describe(models))
        self._faces = prometheus_client.Gauge("fer_edge_faces", "Faces in the latest picture.", registry=registry)
        self._up = prometheus_client.Gauge(
            "fer_edge_source_up", "1 while the source delivers, 0 after 5 seconds of silence.", registry=registry
        )
        self._labels = prometheus_client.Counter(
            "fer_edge_face_labels", "Faces by expression, one per picture and face.", ["label"], registry=registry
        )
        for label in labels:
            self._labels.labels(label)  # a series that is missing until its first event spoils rates
        self._left_out = prometheus_client.Counter(
            "fer_edge_faces_left_out", "Faces, and places that look like one, that were too many.", registry=registry
        )
        self._stages = prometheus_client.Histogram(
            "fer_edge_stage_seconds", "Time per picture by stage.", ["stage"], registry=registry, buckets=BUCKETS
        )
        for stage in STAGES:
            self._stages.labels(stage)
        try:
            self._server = MetricsServer(listen, registry)
        except OSError as error:
            raise OutputError(
                f"--metrics {listen}: cannot listen there ({error.strerror}); choose another port or address"
            ) from error

    def write(self, result: FrameResult) -> None:
        """Count a picture."""
        self._up.set(1)
        self._faces.set(len(result.faces))
        self._left_out.inc(result.left_out)
        for face in result.faces:
            self._labels.labels(face.label).inc()
        for stage, seconds in result.timings.items():
            self._stages.labels(stage).observe(seconds)

    def silent(self, seconds: float) -> None:
        """Show no faces when the camera has been away for `SILENCE_TIMEOUT_S`."""
        if seconds >= SILENCE_TIMEOUT_S:
            self._up.set(0)
            self._faces.set(0)

    def close(self) -> None:
        """Answer no more."""
        self._server.close()


def _describe(models: Sequence[TFLiteModel]) -> dict[str, str]:
    """Return the labels of the info metric; of several models the parts are joined by ``+``."""
    shipped = {file_hash(path): name for name, path in shipped_models().items()}
    hashes = [file_hash(model.path) for model in models]
    # A deployment calls every file model.tflite, so the file's name says nothing.
    names = [shipped.get(digest, model.info.name) for digest, model in zip(hashes, models, strict=True)]
    return {
        "version": fer_edge.__version__,
        "model": "+".join(names),
        "model_sha256": "+".join(digest[:DIGITS] for digest in hashes),
        "host": socket.gethostname(),
    }


class _Asked:
    """What is looked up when somebody asks, in the thread that answers."""

    def __init__(self, counters: Callable[[], Counters], outputs: Sequence[Output], sysfs: Path) -> None:
        self._counters, self._outputs, self._sysfs = counters, outputs, sysfs

    def collect(self) -> Iterator[Metric]:
        """Yield the figures that others keep."""
        counters = self._counters()
        for name, meaning, value in (
            ("frames_captured", "Pictures that came from the source.", counters.captured),
            ("frames_processed", "Pictures that went through the loop.", counters.processed),
            ("frames_dropped", "Pictures of a live source that came while the loop was busy.", counters.dropped),
            ("frames_skipped", "Damaged or empty pictures.", counters.skipped),
            ("source_restarts", "Times that a live source was opened again.", counters.restarts),
            ("full_searches", "Completed searches of the whole picture for faces.", counters.full_searches),
        ):
            yield CounterMetricFamily(f"fer_edge_{name}", meaning, value)
        lost = CounterMetricFamily(
            "fer_edge_output_dropped", "What an output could not take in time.", labels=["output"]
        )
        for output in self._outputs:
            lost.add_metric([output.name], output.dropped)
        yield lost
        yield from _machine(self._sysfs)


def _machine(sysfs: Path) -> Iterator[Metric]:
    """Yield the temperature, and what holds the processor back now; without samples where nothing tells.

    Args:
        sysfs: where the kernel's file system of devices is mounted.
    """
    temperature = GaugeMetricFamily(
        "fer_edge_temperature_celsius", "Temperature by the kernel's thermal zone.", labels=["zone"]
    )
    for zone in sorted(sysfs.glob("class/thermal/thermal_zone*")):
        try:
            celsius = int((zone / "temp").read_text()) / 1000
            temperature.add_metric([f"{(zone / 'type').read_text().strip()}-{zone.name[12:]}"], celsius)
        except (OSError, ValueError):
            continue  # a zone that is switched off
    yield temperature
    throttled = GaugeMetricFamily(
        "fer_edge_throttled", "1 where the firmware of a Raspberry Pi holds the processor back now.", labels=["reason"]
    )
    bits = _read_throttled(sysfs)
    if bits is not None:
        for number, reason in enumerate(HELD_BACK):
            throttled.add_metric([reason], bits >> number & 1)
    yield throttled


def _read_throttled(sysfs: Path) -> int | None:
    """Return the firmware's answer; None where there is no such firmware.

    vcgencmd wants a device of its own, which the service may not open; the kernel's driver asks the same.
    """
    for file in sysfs.glob("devices/platform/soc*/*firmware/get_throttled"):
        try:
            return int(file.read_text(), 16)
        except (OSError, ValueError):
            continue
    return None
