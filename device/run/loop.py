"""The run with its outputs and summary: what ``fer-edge run`` and programs iterate."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fer_edge.device.classify import open_models
from fer_edge.device.outputs.base import Output
from fer_edge.device.outputs.factory import open_outputs
from fer_edge.device.outputs.summary import Summary
from fer_edge.device.pipeline import Pipeline
from fer_edge.device.results import FrameResult
from fer_edge.device.run.config import Name, RunConfig
from fer_edge.device.run.turn_hint import TurnHint
from fer_edge.device.sources import mounted, open_source
from fer_edge.device.sources.base import Source
from fer_edge.device.sources.wrappers import Paced, Repeated
from fer_edge.device.web.serving import Serving, require_packages
from fer_edge.errors import FerEdgeError

_log = logging.getLogger(__name__)


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
            prior=config.prior,
            upright=config.upright,
            baseline=config.baseline,
            stop=stop,
            waiting=self._wait,
        )
        opening = open_outputs(config.wanted, played, models, lambda: pipeline.counters, stop)
        self._outputs += (stack.enter_context(output) for output in opening)
        paths = [model.path for model in models]
        if config.serving:
            self._open_page(stack, config.serving, paths, source.name)
        stack.enter_context(pipeline)
        _log.info("source: %s%s", source.name, ", live" if source.live else "")
        _log.info("models: %s; detector: %s", ", ".join(str(path) for path in paths), config.detector)
        _log.info("outputs: %s", ", ".join(output.name for output in self._outputs) or "none")
        self._hint = None if source.stills else TurnHint(source.name, config.mounting, config.chosen_detector)
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
            return mounted(source, self.config.mounting)
        spec = None if source is None else str(source)
        return stack.enter_context(self._wait_for(lambda: open_source(spec, self.config.mounting)))

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
            for everything in itertools.islice(self._pipeline, self.config.frames):
                result = everything.of_quality(self.config.min_quality)
                for output in self._outputs:
                    output.write(result)
                self._summary.add(result)
                if self._hint is not None:
                    self._hint.watch(result)
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
