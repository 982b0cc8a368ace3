"""What the Device page shows: the model, the machine, its temperature, and what doctor finds."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_edge.device.doctor.checks import all_checks, examine
from fer_edge.device.doctor.finding import Finding, Status
from fer_edge.device.doctor.power import check_temperature
from fer_edge.device.doctor.report import is_ready, verdict
from fer_edge.device.doctor.system import System
from fer_edge.device.service.awaited import in_worker
from fer_edge.machine import describe_machine
from fer_edge.model_file import ModelInfo, file_hash, read_info


def describe_model(path: Path) -> dict[str, Any]:
    """Return what a model file says of itself, JSON-ready; raises ModelFileError if it says nothing."""
    info = read_info(path)
    data = info.training.get("data")
    card = path.with_suffix(".md")
    return {
        "name": info.name,
        "labels": list(info.labels),
        "input": f"{info.input_size} x {info.input_size} {'grey' if info.channels == 1 else 'RGB'} pixels",
        "parameters": info.conversion.get("parameters"),
        "multiply_adds": info.conversion.get("multiply_adds"),
        "quantization": info.conversion.get("quantization"),
        "trained_on": data.get("name") if isinstance(data, Mapping) else None,
        "accuracy": stated_accuracy(info),
        "bytes": path.stat().st_size,
        "sha256": file_hash(path),
        "card": card.read_text(encoding="utf-8", errors="replace") if card.is_file() else None,
    }


def stated_accuracy(info: ModelInfo) -> str:
    """Return in a few words how often the model is right; that nobody knows, if its file does not say."""
    for split, figures in info.accuracy.items():
        top1 = figures.get("top1") if isinstance(figures, Mapping) else None
        if isinstance(top1, (int, float)) and not isinstance(top1, bool) and math.isfinite(top1):
            counted = f" on {images:,} images" if type(images := figures.get("images")) is int else ""
            return f"right for {100 * top1:.1f} % of {split}{counted}"
    return "accuracy not measured"


class Examination:
    """Doctor's findings, found once and kept until somebody asks for new ones; used in one event loop only."""

    def __init__(self, model: Path, source: str | None) -> None:
        """Prepare.

        Args:
            model: the model file.
            source: name of what the loop reads; None if the page has no camera.
        """
        self._model, self._source = model, source
        self._found: dict[str, Any] | None = None
        self._running: asyncio.Task[dict[str, Any]] | None = None

    async def findings(self, *, anew: bool) -> dict[str, Any]:
        """Return verdict and findings, JSON-ready; takes seconds if there are none yet or new ones are asked for.

        There is one examination at a time, however many ask: who asks during it gets what it finds.
        """
        if self._running is None and self._found is not None and not anew:
            return self._found
        if self._running is None:
            self._running = asyncio.create_task(in_worker("live page doctor", self._examine))
            self._running.add_done_callback(self._finish)
        return await asyncio.shield(self._running)  # who goes away does not end it for the others

    def _finish(self, task: asyncio.Task[dict[str, Any]]) -> None:
        self._running = None
        if not task.cancelled() and task.exception() is None:
            self._found = task.result()

    def _examine(self) -> dict[str, Any]:
        checks = all_checks(System.here(), self._model, None)
        checks["camera"] = self._camera  # doctor would open the one that the loop is using
        found = list(examine(checks))
        return {
            "ok": is_ready(found),
            "verdict": verdict(found),
            "findings": [
                {"name": f.name, "status": f.status.value, "found": f.found, "advice": f.advice} for f in found
            ],
        }

    def _camera(self) -> Finding:
        if self._source is None:
            return Finding("camera", Status.UNKNOWN, "not looked for: this page works with the browser's")
        return Finding("camera", Status.OK, f"in use: {self._source}")


class About:
    """The facts about this device."""

    def __init__(self, models: Sequence[Path]) -> None:
        """Look up what does not change; raises ModelFileError."""
        self._models = [describe_model(path) for path in models]
        self._machine = describe_machine()

    def facts(self) -> dict[str, Any]:
        """Return them, JSON-ready, with the temperature of this moment."""
        temperature = check_temperature(System.here())
        known = temperature.status is not Status.UNKNOWN
        return {
            "models": self._models,
            "machine": self._machine,
            "temperature": temperature.found if known else None,
        }
