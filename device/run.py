"""The library form of ``fer-edge run``: its configuration, and the run with its outputs and summary."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fer_edge.config import MAX_THREADS, check_choice, check_count, check_path, check_type
from fer_edge.device.classify import Model, as_list, open_models
from fer_edge.device.detection.choice import DetectorChoice
from fer_edge.device.outputs.address import BROKER_FORM, Broker, Listen, parse_broker, parse_listen
from fer_edge.device.outputs.base import Output
from fer_edge.device.outputs.factory import Wanted, open_outputs
from fer_edge.device.outputs.overwriting import refuse_overwriting
from fer_edge.device.outputs.summary import Summary
from fer_edge.device.pipeline import Pipeline
from fer_edge.device.results import FrameResult
from fer_edge.device.sources import open_source
from fer_edge.device.sources.base import Source
from fer_edge.device.sources.wrappers import Paced, Repeated
from fer_edge.device.web.serving import Serving, require_packages
from fer_edge.errors import ConfigError, FerEdgeError
from fer_edge.shipped import DEFAULT

MAX_FPS = 1000

SKINS = ("off", "static", "ellipse", "adaptive")

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
        frames: stop after so many; None is the end of the source.
        fps: frames per second of a video file that stores no times, a raw stream (.h264, .mjpeg).
        loop: play a file or folder again and again.
        jsonl: file of one JSON line a frame; ``-`` is standard output.
        save: annotated video, ``.mkv``.
        snapshots: folder of a JPEG for each face that appears or changes its expression.
        mqtt: broker to publish changes to, ``mqtt[s]://[USER:PASSWORD@]HOST[:PORT]/TOPIC``.
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
    frames: int | None = None
    fps: float | None = None
    loop: bool = False
    jsonl: Name | None = None
    save: Name | None = None
    snapshots: Name | None = None
    mqtt: str | Broker | None = dataclasses.field(default=None, repr=False)  # likewise
    metrics: str | int | Listen | None = None
    serve: str | int | Listen | None = None
    token: str | None = dataclasses.field(default=None, repr=False)
    tls_cert: Name | None = None
    tls_key: Name | None = None
    display: bool = False
    threads: int = 1
    chosen_detector: DetectorChoice = dataclasses.field(init=False, repr=False)
    wanted: Wanted = dataclasses.field(init=False, repr=False)
    serving: Serving | None = dataclasses.field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_type("source", self.source, "a name, a path, a number or a Source", str, os.PathLike, int, Source)
        for option in ("detector_model", "jsonl", "save", "snapshots", "tls_cert", "tls_key"):
            check_path(option, getattr(self, option))
        self._check_detector()
        check_count("threads", self.threads, 1, MAX_THREADS)
        if self.frames is not None:
            check_count("frames", self.frames, 1)
        if self.fps is not None and not (isinstance(self.fps, (int, float)) and 0 < self.fps <= MAX_FPS):
            raise ConfigError("fps", f"expected an `fps` above 0 and up to {MAX_FPS}, found {self.fps!r}")
        object.__setattr__(self, "wanted", self._outputs())
        object.__setattr__(self, "serving", self._page())
        read = {name: [getattr(self, name)] for name in ("source", "detector_model", "tls_cert", "tls_key")}
        refuse_overwriting({"jsonl": self.jsonl, "save": self.save}, read | {"models": as_list(self.models)})

    def _check_detector(self) -> None:
        path = None if self.detector_model is None else Path(self.detector_model)
        object.__setattr__(self, "chosen_detector", DetectorChoice(self.detector, path))
        if self.skin is not None:
            check_choice("skin", self.skin, SKINS)
        if self.detector == "yunet" and self.skin not in (None, "off"):
            raise ConfigError(
                "skin", f"`detector` yunet searches the whole picture and takes no `skin` {self.skin}; leave it out"
            )

    def _outputs(self) -> Wanted:
        return Wanted(
            jsonl=None if self.jsonl is None else os.fspath(self.jsonl),
            save=None if self.save is None else Path(self.save),
            snapshots=None if self.snapshots is None else Path(self.snapshots),
            mqtt=_broker(self.mqtt),
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

    @property
    def searched_skin(self) -> str:
        """The value of `skin` that is used where none was given."""
        return self.skin or ("off" if self.detector == "yunet" else "static")


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


def run(source: Name | int | Source | None = None, config: RunConfig | None = None, **options: Any) -> Run:
    """Run the device loop: find faces, follow them, and say what they express.

    Args:
        source: as `RunConfig.source`, and instead of it.
        config: the settings; by default those of a `RunConfig`.
        options: fields of `RunConfig` by name, instead of those of `config`.

    Returns:
        A `Run`, opened and ready to be iterated for one result a frame. A live source skips frames while the program
        is busy, a file never does.

    Raises:
        ConfigError: settings out of range, or that exclude each other.
        SourceError: the source does not exist or delivers no frames; also while it is iterated.
        ModelFileError: a model does not exist, is of another kind, or has other labels than the first.
        OutputError: an output cannot be written; also while it is iterated.
        MissingExtraError: OpenCV, a TFLite runtime, or what an output needs is not installed.

    Example:
        >>> import fer_edge
        >>> for result in fer_edge.run("demo", frames=3):
        ...     print(result.index, [face.label for face in result.faces])
        0 ['happy']
        1 ['happy']
        2 ['happy']
    """
    if source is not None:
        options["source"] = source
    return Run(dataclasses.replace(config or RunConfig(), **options))


class Run:
    """A run of the device loop: iterate it once, for one `fer_edge.device.results.FrameResult` a frame.

    It ends with the source, after `RunConfig.frames`, or when the loop around it is left; then the outputs are closed.
    As a context manager it stays open until the block is left, and raises what closing an output raises. What it
    amounted to is in `summary`, also after an error.

    Attributes:
        config: as it was given.
        page_url: address of the live page, or None; its token is that of `RunConfig.serving`.

    Example:
        >>> import fer_edge
        >>> with fer_edge.run("demo", frames=2) as loop:
        ...     labels = {face.label for result in loop for face in result.faces}
        >>> labels, loop.summary()["frames"]
        ({'happy'}, 2)
    """

    def __init__(
        self,
        config: RunConfig,
        *,
        stop: Callable[[], bool] = lambda: False,
        wait_for: Callable[[Callable[[], Source]], Source] = lambda opening: opening(),
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        """Open models, source, outputs and page; raises what `run` does.

        Args:
            config: what to run.
            stop: asked before each frame, and while waiting for one, whether to end.
            wait_for: calls what opens the source, which may take long; the command hears signals meanwhile.
            alive: called after each frame, and while a camera that has stopped delivering is opened again.
        """
        self.config = config
        self.page_url: str | None = None
        self._stop, self._wait_for, self._alive = stop, wait_for, alive
        self._outputs: list[Output] = []
        self._entered = self._iterated = False
        with contextlib.ExitStack() as stack:
            self._open(stack)
            self._summary = Summary()
            self._stack = stack.pop_all()

    def _open(self, stack: contextlib.ExitStack) -> None:
        config, stop = self.config, self._stop
        models = open_models(config.models, config.threads)
        source = self._open_source(stack)
        played = Repeated(source) if config.loop and not source.live else source
        if config.serving and not source.live:  # somebody watches
            played = Paced(played, stop)
        self._pipeline = pipeline = Pipeline(
            played,
            models,
            skin=config.searched_skin,
            detector=config.chosen_detector.open(),
            stop=stop,
            waiting=self._wait,
        )
        opening = open_outputs(config.wanted, played, models[0].info.labels, lambda: pipeline.counters, stop)
        self._outputs += (stack.enter_context(output) for output in opening)
        paths = [model.path for model in models]
        if config.serving:
            self._open_page(stack, config.serving, paths, source.name)
        stack.enter_context(pipeline)
        self._named = {"source": source.name, "models": [str(path) for path in paths], "skin": config.searched_skin}

    def _wait(self, silent_s: float) -> None:
        self._alive()
        for output in self._outputs:
            output.silent(silent_s)

    def reopen(self) -> None:
        """Open files of lines by their names again, as logs are after a rotation; call it between two results."""
        for output in self._outputs:
            output.reopen()

    def _open_source(self, stack: contextlib.ExitStack) -> Source:
        source = self.config.source
        if isinstance(source, Source):
            return source
        spec = None if source is None else str(source)
        return stack.enter_context(self._wait_for(lambda: open_source(spec, fps=self.config.fps)))

    def _open_page(self, stack: contextlib.ExitStack, serving: Serving, models: Sequence[Path], source: str) -> None:
        require_packages()
        from fer_edge.device.web.live import LivePage

        page = stack.enter_context(LivePage(serving, models, source, self._pipeline, self.config.chosen_detector))
        self._outputs.append(page)
        self.page_url = page.url

    def __iter__(self) -> Iterator[FrameResult]:
        """Deliver the results in the order of the frames, each once every output has it; raises what `run` does."""
        if self._iterated:
            raise FerEdgeError("this run has been iterated already; begin another with fer_edge.run")
        self._iterated = True
        try:
            for result in itertools.islice(self._pipeline, self.config.frames):
                for output in self._outputs:
                    output.write(result)
                self._summary.add(result)
                yield result
                self._alive()
                if any(output.dismissed for output in self._outputs):
                    return
        finally:
            self._summary.stop()
            if not self._entered:
                self.close()

    def __enter__(self) -> Self:
        self._entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the run and close page, outputs and source; raises OutputError where something is not written."""
        self._summary.stop()
        self._stack.close()

    def summary(self) -> dict[str, Any]:
        """Return what the run amounts to so far, JSON-ready.

        Times are seconds and milliseconds (by name), rates a second. ``dropped_by_outputs`` is complete only after the
        end, since outputs may leave something out when they are closed.
        """
        left_out = {output.name: output.dropped for output in self._outputs if output.dropped}
        return {**self._named, **self._summary.to_dict(self._pipeline.counters), "dropped_by_outputs": left_out}
