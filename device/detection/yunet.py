"""Faces by YuNet, a small convolutional network, from a file that the user brings.

W. Wu, H. Peng and S. Yu, "YuNet: A tiny millisecond-level face detector", Machine Intelligence Research 20,
2023. OpenCV runs it (`cv2.FaceDetectorYN`). It finds faces that turn away, tilt or wear masks, which the
cascade does not, always searches the whole frame, and needs colour.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.detection.skin import Regions
from fer_edge.device.faces import Detection, clip
from fer_edge.device.frame import Frame
from fer_edge.device.opencv import cv2
from fer_edge.errors import MissingExtraError, ModelFileError
from fer_edge.preprocess import Box

INPUT_PIXELS = 480
"""Longer side of the frame that the network sees, at most, in pixels; it finds faces from about 10."""

SCORE_THRESHOLD = 0.6
"""Score from which it is a face."""

NMS_IOU = 0.3
"""Intersection over union from which two boxes are one face (OpenCV's own value)."""

CANDIDATES = 100
"""Boxes kept, at most, before overlapping ones are dropped."""

MIN_SIDE_PIXELS = 64
"""Shortest side that the network is given, in pixels. A side of up to 32 leaves one row or column in its coarsest
map, and OpenCV 4.14 then answers from memory that nothing has written: boxes of any size, with full score."""


class YuNet:
    """Finds faces with a YuNet model in ONNX format; one of the detectors of the module ``detector``."""

    def __init__(self, model: Path) -> None:
        """Load the model and try it.

        Args:
            model: such as ``face_detection_yunet_2023mar.onnx``; every input size will do.

        Raises:
            ModelFileError: the file is missing or is no YuNet model.
            MissingExtraError: this OpenCV is too old to have the detector.
        """
        if not hasattr(cv2, "FaceDetectorYN"):
            raise MissingExtraError(
                f"OpenCV {cv2.__version__} has no FaceDetectorYN; install a newer one with: "
                "pip install 'opencv-python-headless>=4.8,<5'"
            )
        if not model.is_file():
            raise ModelFileError(f"{model}: expected the ONNX file of a YuNet face detector, found no such file")
        try:
            self._network = cv2.FaceDetectorYN.create(str(model), "", (32, 32), SCORE_THRESHOLD, NMS_IOU, CANDIDATES)
            self._network.detect(np.zeros((32, 32, 3), np.uint8))
        except cv2.error:
            raise ModelFileError(
                f"{model}: expected a YuNet face detector in ONNX format, found something that OpenCV "
                f"{cv2.__version__} cannot run as one; get face_detection_yunet_2023mar.onnx from the OpenCV model zoo"
            ) from None

    def detect(self, frame: Frame, regions: Regions) -> list[Detection]:
        """Return the faces of a frame, left to right, with landmarks.

        Args:
            frame: luma and chroma are read.
            regions: not needed.
        """
        bgr, scale = _shrunken(frame)
        self._network.setInputSize(bgr.shape[1::-1])
        _, rows = self._network.detect(bgr)
        faces = [] if rows is None else [_detection(row, scale, frame) for row in rows]
        return sorted(faces, key=lambda face: face.box)


def _shrunken(frame: Frame) -> tuple[NDArray[np.uint8], float]:
    """Return the frame as uint8 h x w x 3 in BGR order, black beyond it up to `MIN_SIDE_PIXELS`, and its scale."""
    height, width = frame.y.shape
    scale = min(1.0, INPUT_PIXELS / max(height, width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    planes = [cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in (frame.y, frame.cr, frame.cb)]
    bgr: NDArray[np.uint8] = cv2.cvtColor(cv2.merge(planes), cv2.COLOR_YCrCb2BGR)
    right, below = max(MIN_SIDE_PIXELS - size[0], 0), max(MIN_SIDE_PIXELS - size[1], 0)
    if right or below:
        bgr = cv2.copyMakeBorder(bgr, 0, below, 0, right, cv2.BORDER_CONSTANT)
    return bgr, scale


def _detection(row: NDArray[np.float32], scale: float, frame: Frame) -> Detection:
    """Turn a row into a detection: x, y, w, h, then x and y of each landmark in the order of `Landmarks`, the score."""
    values = row.tolist()
    x, y, w, h = (round(value / scale) for value in values[:4])
    box = clip(Box(x, y, w, h), frame.width, frame.height)
    points = [value / scale for value in values[4:14]]
    return Detection(box, values[14], tuple(zip(points[::2], points[1::2], strict=True)))
