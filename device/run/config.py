"""The configuration of a run: the options of ``fer-edge run``."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from fer_edge.config import MAX_THREADS, check_choice, check_count, check_path, check_type
from fer_edge.device.classify import Model, as_list
from fer_edge.device.detection.choice import DetectorChoice
from fer_edge.device.outputs.address import BROKER_FORM, Broker, Listen, parse_broker, parse_listen
from fer_edge.device.outputs.factory import Wanted
from fer_edge.device.outputs.overwriting import refuse_overwriting
from fer_edge.device.run.config_file import FLAGS, read_settings
from fer_edge.device.sources.base import Source
from fer_edge.device.sources.mounting import Mounting, parse_roi, parse_size
from fer_edge.device.web.serving import Serving
from fer_edge.errors import ConfigError
from fer_edge.shipped import DEFAULT

MAX_HOLD_S = 3600
MAX_PEOPLE = 16

SKINS = ("off", "static", "ellipse", "adaptive")

MAX_BASELINE_S = 600.0

Name = str | os.PathLike[str]


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """How to run the device loop: the options of ``fer-edge run``, checked when the configuration is made.

    By default nothing is written and nothing leaves the process.

    Attributes:
        source: ``picamera2``, a webcam's number, a video file, a folder of photos, a URL, ``demo``, ``demo:live`` (the
            same at a camera's pace), or an open `fer_edge.device.sources.base.Source`, which stays the caller's to
            close. None is picamera2 where it is installed, else webcam 0.
        models: names of shipped models, paths of int8 ``.tflite`` files, or open models; several are averaged.
        skin: where to look for small faces: mainly on skin as the model ``static``, ``ellipse`` or ``adaptive`` has it,
            or everywhere (``off``). None is ``static``, and ``off`` with ``yunet``, which searches the whole frame.
        detector: ``haar``, OpenCV's cascade; ``face``, two networks of this package; or ``yunet``.
        detector_model: the ONNX file of ``yunet``.
        upright: turn crops upright and frame them by eyes and mouth, also for models that do not ask for it; not with
            ``haar``, which finds neither.
        prior: how common expressions are to be taken to be, `fer_edge.labels.PRIOR_FORM`; None: as the model does.
        baseline: seconds of a face at rest after which its scores are told as the deviation from it; None: never.
        min_quality: leave out faces of a lower quality, in 0..1; 0.5 leaves out those with a reason to be uncertain.
        frames: stop after so many; None is the end of the source.
        fps: frames per second to ask a camera for; of a video file that stores no times, a raw stream (.h264, .mjpeg).
        rotate: degrees clockwise by which frames are turned, 0, 90, 180 or 270, for a camera that hangs otherwise.
        flip: mirror frames, left to right; after turning them.
        size: ``WIDTHxHEIGHT`` to ask the camera for, before frames are turned; larger frames are shrunk to fit.
        roi: ``X,Y,WIDTH,HEIGHT``, the part of the turned frame that is used, as shares of it in 0..1.
        loop: play a file or folder again and again.
        jsonl: file of one JSON line a frame; ``-`` is standard output.
        csv: file of one row a face, likewise.
        save: annotated video, ``.mkv``.
        snapshots: folder of a JPEG for each face that appears or changes its expression.
        mqtt: broker to publish changes to, ``mqtt[s]://[USER:PASSWORD@]HOST[:PORT]/TOPIC``.
        mqtt_hold: seconds for which a change must last before it is published, 0 to 3600.
        mqtt_people: number of people, up to 16, of whom each has a topic.
        metrics: address for Prometheus, ``[HOST:]PORT``; a port alone is on 127.0.0.1.
        serve: address of the live page, likewise.
        token: what visitors of the page must show, 16 letters and digits or more. One is made up where the address is
            not of this machine alone.
        tls_cert: certificate of the page, PEM; together with `tls_key`.
        tls_key: its key, PEM.
        display: show the frames in a window; q closes it.
        threads: CPU threads of each model, 1 to 64.

    Raises:
        ConfigError: a value out of its range, settings that exclude each other, or an output that is an input; its
            ``option`` names the field.

    Example:
        >>> import fer_edge
        >>> fer_edge.RunConfig(source="demo", frames=10).frames
        10
        >>> try:
        ...     fer_edge.RunConfig(detector="yunet")
        ... except fer_edge.FerEdgeError as error:
        ...     print(error.option)
        detector_model
    """

    source: Name | int | Source | None = dataclasses.field(default=None, repr=False)  # may hold a password
    models: Model | Sequence[Model] = (DEFAULT,)
    skin: str | None = None
    detector: str = "haar"
    detector_model: Name | None = None
    upright: bool = False
    prior: str | None = None
    baseline: float | None = None
    min_quality: float = 0.0
    frames: int | None = None
    fps: float | None = None
    rotate: int = 0
    flip: bool = False
    size: str | tuple[int, int] | None = None
    roi: str | tuple[float, float, float, float] | None = None
    loop: bool = False
    jsonl: Name | None = None
    csv: Name | None = None
    save: Name | None = None
    snapshots: Name | None = None
    mqtt: str | Broker | None = dataclasses.field(default=None, repr=False)  # likewise
    mqtt_hold: float = 0.0
    mqtt_people: int = 0
    metrics: str | int | Listen | None = None
    serve: str | int | Listen | None = None
    token: str | None = dataclasses.field(default=None, repr=False)
    tls_cert: Name | None = None
    tls_key: Name | None = None
    display: bool = False
    threads: int = 1
    mounting: Mounting = dataclasses.field(init=False, repr=False)
    chosen_detector: DetectorChoice = dataclasses.field(init=False, repr=False)
    wanted: Wanted = dataclasses.field(init=False, repr=False)
    serving: Serving | None = dataclasses.field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_type("source", self.source, "a name, a path, a number or a Source", str, os.PathLike, int, Source)
        for option in ("detector_model", "jsonl", "csv", "save", "snapshots", "tls_cert", "tls_key"):
            check_path(option, getattr(self, option))
        for option in FLAGS:
            check_type(option, getattr(self, option), "true or false", bool)
        self._check_detector()
        self.chosen_detector.check_upright(self.upright)
        check_type("prior", self.prior, "a text", str)
        check_count("threads", self.threads, 1, MAX_THREADS)
        if self.baseline is not None and not (_is_number(self.baseline) and 0 < self.baseline <= MAX_BASELINE_S):
            raise ConfigError(
                "baseline", f"`baseline`: expected seconds above 0 and up to {MAX_BASELINE_S:g}, found {self.baseline}"
            )
        if not (_is_number(self.min_quality) and 0 <= self.min_quality <= 1):
            raise ConfigError("min_quality", f"`min_quality`: expected 0 to 1, found {self.min_quality}")
        if self.frames is not None:
            check_count("frames", self.frames, 1)
        mounting = Mounting(self.rotate, self.flip, parse_size(self.size), self.fps, parse_roi(self.roi))
        object.__setattr__(self, "mounting", mounting)
        self._check_mqtt()
        if self.jsonl == self.csv == "-":
            raise ConfigError("csv", "`jsonl` and `csv` would both write to standard output; give one of them a file")
        object.__setattr__(self, "wanted", self._outputs())
        object.__setattr__(self, "serving", self._page())
        read = {name: [getattr(self, name)] for name in ("source", "detector_model", "prior", "tls_cert", "tls_key")}
        refuse_overwriting(self._files(), read | {"models": as_list(self.models)})

    def _check_detector(self) -> None:
        path = None if self.detector_model is None else Path(self.detector_model)
        object.__setattr__(self, "chosen_detector", DetectorChoice(self.detector, path))
        if self.skin is not None:
            check_choice("skin", self.skin, SKINS)
        if self.detector == "yunet" and self.skin not in (None, "off"):
            raise ConfigError(
                "skin", f"`detector` yunet searches the whole picture and takes no `skin` {self.skin}; leave it out"
            )

    def _check_mqtt(self) -> None:
        check_count("mqtt_people", self.mqtt_people, 0, MAX_PEOPLE)
        hold = self.mqtt_hold
        if not (_is_number(hold) and 0 <= hold <= MAX_HOLD_S):
            raise ConfigError("mqtt_hold", f"`mqtt_hold`: expected seconds from 0 to {MAX_HOLD_S}, found {hold!r}")
        for option in ("mqtt_hold", "mqtt_people"):
            if self.mqtt is None and getattr(self, option):
                raise ConfigError(option, f"`{option}` says how `mqtt` publishes; give the broker as well")

    def _outputs(self) -> Wanted:
        return Wanted(
            jsonl=None if self.jsonl is None else os.fspath(self.jsonl),
            csv=None if self.csv is None else os.fspath(self.csv),
            save=None if self.save is None else Path(self.save),
            snapshots=None if self.snapshots is None else Path(self.snapshots),
            mqtt=_broker(self.mqtt),
            mqtt_hold=self.mqtt_hold,
            mqtt_people=self.mqtt_people,
            metrics=_listen("metrics", self.metrics),
            display=self.display,
        )

    def _page(self) -> Serving | None:
        listen = _listen("serve", self.serve)
        if listen is not None:
            paths = (None if name is None else Path(name) for name in (self.tls_cert, self.tls_key))
            return Serving(listen, self.token, *paths)
        for option in ("token", "tls_cert", "tls_key"):
            if getattr(self, option) is not None:
                raise ConfigError(option, f"`{option}` belongs to the live page; give `serve` HOST:PORT as well")
        return None

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of all settings, in their order."""
        return tuple(field.name for field in dataclasses.fields(cls) if field.init)

    @classmethod
    def read(cls, path: Name, **options: Any) -> Self:
        """Return the configuration in a YAML file, as ``fer-edge run --config`` reads it.

        Args:
            path: of the file.
            options: settings by name, instead of those of the file.

        Raises:
            ConfigError: it is no such file, or what the constructor raises.
            MissingExtraError: PyYAML is not installed.
        """
        config = cls(**{**read_settings(Path(path), cls.names()), **options})
        config.spare(Path(path))
        return config

    def spare(self, path: Path) -> None:
        """Raise ConfigError where an output would replace the file that these settings are from."""
        refuse_overwriting(self._files(), {"config": [path]})

    def _files(self) -> dict[str, Name | None]:
        return {"jsonl": self.jsonl, "csv": self.csv, "save": self.save}

    @property
    def searched_skin(self) -> str:
        """The value of `skin` that is used where none was given."""
        return self.skin or ("off" if self.detector == "yunet" else "static")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _broker(value: str | Broker | None) -> Broker | None:
    check_type("mqtt", value, "an address", str, Broker)
    if value is None or isinstance(value, Broker):
        return value
    try:
        return parse_broker(value)
    except ValueError as error:  # it does not quote the address, which may hold a password
        raise ConfigError("mqtt", f"`mqtt`: {error}; expected {BROKER_FORM}") from None


def _listen(option: str, value: str | int | Listen | None) -> Listen | None:
    check_type(option, value, "an address or a port", str, int, Listen)
    if value is None or isinstance(value, Listen):
        return value
    try:
        return parse_listen(str(value))
    except ValueError as error:
        raise ConfigError(option, f"`{option}` {value}: {error}") from error
