"""Two loops that others write, to compare the device loop with.

Both look at every picture by itself and take the largest face. They get BGR pictures and return the boxes
that they found.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.detection.cascade import find_cascade
from fer_edge.device.opencv import cv2
from fer_edge.preprocess import Box, face_to_input
from fer_edge.runtime import TFLiteModel

Picture = NDArray[np.uint8]


class Baseline(Protocol):
    """A loop's body."""

    def __call__(self, bgr: Picture) -> list[Box]:
        """Return the faces of a uint8 H x W x 3 picture after classifying each."""


class CarefulScript:
    """Somebody who has measured: a smallest face worth classifying, and the int8 model."""

    def __init__(self, model: Path) -> None:
        self._cascade = cv2.CascadeClassifier(str(find_cascade()))
        self._model = TFLiteModel(model)

    def __call__(self, bgr: Picture) -> list[Box]:
        """Search the whole picture with scale step 1.1, 5 neighbours and windows from 48 pixels."""
        grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
        found = self._cascade.detectMultiScale(grey, 1.1, 5, minSize=(48, 48))
        boxes = [Box(*map(int, box)) for box in found]
        for box in boxes:
            self._model.scores(face_to_input(grey, box, self._model.info.input_size))
        return boxes


class AncestorsLoop:
    """What most tutorials show: every size of face, and ``predict`` of the Keras model on each."""

    def __init__(self) -> None:
        """Build the network; its weights do not matter for its cost, so that no training is needed.

        Raises:
            ImportError: Keras is not installed.
        """
        import keras

        self._cascade = cv2.CascadeClassifier(str(find_cascade()))
        layers = keras.layers
        network = [keras.Input((48, 48, 1))]
        for filters in (32, 64, 128):
            network += [layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.MaxPooling2D()]
        network += [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(7, activation="softmax")]
        self._model = keras.Sequential(network)

    def __call__(self, bgr: Picture) -> list[Box]:
        """Search the whole picture at every size, with scale step 1.1 and 5 neighbours."""
        grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
        boxes = [Box(*map(int, box)) for box in self._cascade.detectMultiScale(grey, 1.1, 5)]
        for x, y, w, h in boxes:
            crop = cv2.resize(grey[y : y + h, x : x + w], (48, 48)).astype(np.float32) / 255
            self._model.predict(crop[None, :, :, None], verbose=0)
        return boxes
