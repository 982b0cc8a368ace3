"""Which detector to use, as every command that finds faces is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from fer_edge.config import check_choice
from fer_edge.device.detection.detector import FaceDetector
from fer_edge.device.detection.face import FaceNetworks
from fer_edge.device.detection.yunet import YuNet
from fer_edge.errors import ConfigError

DETECTORS = ("haar", "face", "yunet")


@dataclasses.dataclass(frozen=True)
class DetectorChoice:
    """A detector by its name, checked when the choice is made.

    Attributes:
        detector: ``haar``, OpenCV's cascade; ``face``, two networks of this package; or ``yunet``.
        detector_model: the ONNX file of ``yunet``.

    Raises:
        ConfigError: another name, or a model without its detector; its ``option`` names the field.
    """

    detector: str = "haar"
    detector_model: Path | None = None

    def __post_init__(self) -> None:
        check_choice("detector", self.detector, DETECTORS)
        if (self.detector == "yunet") != (self.detector_model is not None):
            raise ConfigError(
                "detector_model", "`detector` yunet and `detector_model` go together; give both or neither"
            )

    def check_upright(self, upright: bool) -> None:
        """Raise ConfigError where crops are to be upright and the detector finds no eyes to frame them by."""
        if upright and self.detector == "haar":
            raise ConfigError(
                "upright", "`upright` needs eyes, which haar does not find; give `detector` face or yunet"
            )

    def open(self) -> FaceDetector | None:
        """Open the detector, for one thread; None is the cascade, which whoever finds faces opens by itself.

        Raises:
            ModelFileError: a model is missing or no such detector.
            MissingExtraError: this OpenCV is too old for it.
        """
        if self.detector == "face":
            return FaceNetworks()
        return YuNet(self.detector_model) if self.detector_model else None


HAAR = DetectorChoice()
"""OpenCV's cascade, the default."""
