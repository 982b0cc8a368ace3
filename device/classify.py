"""The expression of a face: one model, or several averaged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ModelFileError
from fer_edge.preprocess import Box, face_to_input
from fer_edge.runtime import TFLiteModel


class Ensemble:
    """Models whose probabilities are averaged; one alone is an ensemble, too."""

    def __init__(self, models: Sequence[TFLiteModel]) -> None:
        """Check that the models speak of the same expressions.

        Args:
            models: at least one.

        Raises:
            ModelFileError: their labels differ.
        """
        self._models = models
        self.labels = models[0].info.labels
        for model in models[1:]:
            if model.info.labels != self.labels:
                raise ModelFileError(
                    f"{model.path}: expected the labels of {models[0].path} ({', '.join(self.labels)}), found "
                    f"{', '.join(model.info.labels)}; models are averaged only if their labels agree"
                )

    def scores(self, luma: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        """Return the probabilities (classes,) of the face in `box`, in pixels of the uint8 plane `luma`."""
        rows = [model.scores(face_to_input(luma, box, model.info.input_size)) for model in self._models]
        return rows[0] if len(rows) == 1 else np.mean(rows, axis=0, dtype=np.float32)


def open_models(paths: Sequence[Path], threads: int = 1) -> list[TFLiteModel]:
    """Open int8 models; raises ModelFileError and MissingExtraError as `TFLiteModel` does."""
    return [TFLiteModel(path, threads=threads) for path in paths]
