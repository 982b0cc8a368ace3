"""The live page as an output of the loop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_edge.device.detection.choice import HAAR, DetectorChoice
from fer_edge.device.outputs.base import Output
from fer_edge.device.outputs.summary import Rate
from fer_edge.device.pipeline import Pipeline
from fer_edge.device.results import FrameResult
from fer_edge.device.web.camera import loop_figures
from fer_edge.device.web.hub import Hub
from fer_edge.device.web.server import Server
from fer_edge.device.web.serving import Serving


class LivePage(Output):
    """Shows the results to browsers; the loop only leaves the latest one, and only while somebody watches.

    Attributes:
        url: what to type into a browser.
    """

    name = "live page"

    def __init__(
        self, serving: Serving, models: Sequence[Path], source: str, pipeline: Pipeline, detector: DetectorChoice = HAAR
    ) -> None:
        """Begin to answer.

        Args:
            serving: where, and to whom.
            models: the model files.
            source: name of what the loop reads.
            pipeline: the loop, whose counters are shown.
            detector: what finds the faces of visitors' photos.

        Raises:
            OutputError: see `Server`.
        """
        self._pipeline = pipeline
        self._rate = Rate()
        self._fps = 0.0
        self._hub = Hub()
        self._server = Server(serving, models, self._hub, source, detector)
        self.url = self._server.url

    def write(self, result: FrameResult) -> None:
        """Show a result; never waits."""
        self._fps = self._rate.tick()
        self._hub.offer(result, self._figures)

    def _figures(self) -> dict[str, Any]:
        return loop_figures(self._fps, self._pipeline)

    def close(self) -> None:
        """Let the browsers go."""
        self._server.close()
