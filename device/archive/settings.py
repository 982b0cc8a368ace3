"""What decides the rows of an analysis."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_edge.device.detection.choice import DetectorChoice
from fer_edge.errors import ConfigError
from fer_edge.model_file import file_hash
from fer_edge.shipped import DEFAULT, load_model, shipped_models


@dataclasses.dataclass(frozen=True)
class Settings:
    """Models, detector and sampling; sent to every worker.

    Attributes:
        models: names of shipped models or absolute paths of ``.tflite`` files; several are averaged.
        detector: see `DetectorChoice`.
        detector_model: absolute path of the ONNX file of ``yunet``, or None.
        every: seconds between two frames of a video that are searched; 0 searches all.
        labels: the expressions, in the order of the models.
        digests: SHA-256 of each model file, so that a model under the same name cannot be another one.
    """

    models: tuple[str, ...]
    detector: str
    detector_model: str | None
    every: float
    labels: tuple[str, ...]
    digests: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what the plan keeps; lists, as JSON reads them."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in dataclasses.asdict(self).items()
        }


def make_settings(
    models: Sequence[str | Path] = (DEFAULT,),
    detector: str = "face",
    detector_model: Path | None = None,
    every: float = 0.0,
) -> Settings:
    """Check the settings and open the models once.

    Raises:
        ConfigError: no model, an unknown detector, or a negative interval.
        ModelFileError: a model does not exist or is of another kind.
    """
    if not every >= 0:
        raise ConfigError("every", f"expected `every` of 0 seconds or more, found {every}")
    if not models:
        raise ConfigError("models", "expected a model or several as `models`, found none")
    choice = DetectorChoice(detector, detector_model)
    opened = [load_model(model) for model in models]
    labels = opened[0].info.labels
    shipped = {path.resolve(): name for name, path in shipped_models().items()}
    return Settings(
        # By name where they have one: a worker on another machine has the package elsewhere.
        tuple(shipped.get(model.path.resolve(), str(model.path.absolute())) for model in opened),
        choice.detector,
        None if detector_model is None else str(detector_model.absolute()),
        float(every),
        tuple(labels),
        tuple(file_hash(model.path) for model in opened),
    )
