"""The expression of a face: one model, or several averaged."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.faces import Landmarks
from fer_edge.errors import ConfigError, ModelFileError
from fer_edge.labels import prior_weights
from fer_edge.preprocess import Box, Planes, face_crop
from fer_edge.runtime import TFLiteModel
from fer_edge.shipped import find_model

Model = str | os.PathLike[str] | TFLiteModel
"""Name of a shipped model, path of a ``.tflite`` file, or an open model."""


class Ensemble:
    """Models whose probabilities are averaged; one alone is an ensemble, too."""

    def __init__(self, models: Sequence[TFLiteModel], prior: str | None = None, upright: bool = False) -> None:
        """Check that the models speak of the same expressions.

        Args:
            models: at least one.
            prior: how common expressions are to be taken to be, see `fer_edge.labels.prior_weights`; None leaves each
                model its own.
            upright: frame faces by eyes and mouth where there are landmarks, also for models that do not ask for it.

        Raises:
            ModelFileError: their labels differ, or it is not known what one of them assumes.
            ConfigError: `prior` is none for these labels.
        """
        self._models, self._upright = models, upright
        self.labels = models[0].info.labels
        self._weights = [np.array(prior_weights(m.info, prior) if prior else 1, np.float32) for m in models]
        for model in models[1:]:
            if model.info.labels != self.labels:
                raise ModelFileError(
                    f"{model.path}: expected the labels of {models[0].path} ({', '.join(self.labels)}), found "
                    f"{', '.join(model.info.labels)}; models are averaged only if their labels agree"
                )

    def crops(self, planes: Planes, box: Box, landmarks: Landmarks | None = None) -> list[NDArray[np.uint8]]:
        """Return each model's crop of a face: of the luma, or in colour (`fer_edge.preprocess.face_crop`).

        Args:
            planes: of the frame.
            box: the face, in pixels of the luma plane.
            landmarks: likewise, where the detector gave them; models look at them whose framing is ``eyes``, or all
                of them if they are to be upright.
        """
        return [
            face_crop(
                *(planes, box, info.input_size, info.channels),
                landmarks if self._upright or info.framing == "eyes" else None,
            )
            for info in (model.info for model in self._models)
        ]

    def scores(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return the probabilities (classes,) of a face, of which each model has its crop."""
        rows = [
            model.scores(crop) if weights.ndim == 0 else reweighted(model.scores(crop), weights)
            for model, crop, weights in zip(self._models, crops, self._weights, strict=True)
        ]
        return rows[0] if len(rows) == 1 else np.mean(rows, axis=0, dtype=np.float32)


def reweighted(scores: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return probabilities (classes,) multiplied by weights (classes,) and scaled to sum 1."""
    weighted = scores * weights
    result: NDArray[np.float32] = weighted / max(float(weighted.sum()), 1e-9)
    return result


def open_models(models: Model | Sequence[Model], threads: int = 1) -> list[TFLiteModel]:
    """Open int8 models; those that are open already are returned as they are.

    Args:
        models: one or several.
        threads: CPU threads of each interpreter that is opened here.

    Raises:
        ConfigError: an empty list, or something else than names, paths and models.
        ModelFileError: a file that does not exist or is of another kind.
        MissingExtraError: no TFLite runtime is installed.
    """
    listed = as_list(models)
    if not listed:
        raise ConfigError("models", "`models`: expected at least one model, found none")
    return [_open(model, threads) for model in listed]


def as_list(models: Model | Sequence[Model]) -> list[Model]:
    """Return several models as a list, and one as a list of one."""
    return list(models) if isinstance(models, (list, tuple)) else [cast(Model, models)]


def _open(model: Model, threads: int) -> TFLiteModel:
    if isinstance(model, (str, os.PathLike)):
        return TFLiteModel(find_model(model), threads=threads)
    if not callable(getattr(model, "scores", None)) or not hasattr(model, "info"):
        found = type(model).__name__
        raise ConfigError("models", f"`models`: expected names of shipped models, paths or open models, found {found}")
    return model
