"""What is judged: models of this project, and several of them averaged."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from figures import over_expressions
from numpy.typing import NDArray

from fer_edge.errors import ModelFileError
from fer_edge.model_file import file_hash
from fer_edge.preprocess import resize_square
from fer_edge.runtime import TFLiteModel
from fer_edge.shipped import shipped_models


@dataclasses.dataclass(frozen=True)
class Judged:
    """A model, or several averaged.

    Attributes:
        name: in the result.
        files: SHA-256 -> bytes of each file.
        members: at least one.
    """

    name: str
    files: dict[str, int]
    members: tuple[TFLiteModel, ...]

    def scores(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return the probabilities of the seven expressions, N x 7, for square grey crops of any size."""
        mean: NDArray[np.float32] = np.mean(
            [
                over_expressions(
                    np.stack([model.scores(resize_square(crop, model.info.input_size)) for crop in crops]),
                    model.info.labels,
                )
                for model in self.members
            ],
            axis=0,
            dtype=np.float32,
        )
        return mean


def open_judged(names: str) -> Judged:
    """Open shipped models or files whose names are joined by ``+``.

    Raises:
        ModelFileError: neither a shipped model nor a file of one.
    """
    shipped = shipped_models()
    paths = [shipped.get(name, Path(name)) for name in names.split("+")]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise ModelFileError(f"{missing[0]}: expected a shipped model ({', '.join(shipped)}) or a file, found neither")
    name = "+".join(path.stem for path in paths)
    files = {file_hash(path): path.stat().st_size for path in paths}
    return Judged(name, files, tuple(TFLiteModel(path) for path in paths))
