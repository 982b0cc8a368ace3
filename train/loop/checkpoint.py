"""The state of a training run on disk, written after every epoch, whole or not at all."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from fer_edge.errors import DataError
from fer_edge.model_file import ZIP_DAMAGE, write_atomically

STATE = "state"


def save_checkpoint(path: Path, model: Any, state: dict[str, Any]) -> None:
    """Write all variables of a compiled Keras model and of its optimizer, and `state`, to one file.

    The variables include the averaged weights, the optimizer's moments and step, and the state of every
    random generator: all that the next epoch depends on.
    """
    arrays = {f"v{i}": np.asarray(v.numpy()) for i, v in enumerate(_variables(model))}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays, **{STATE: np.array(json.dumps(state))})
    write_atomically(path, buffer.getvalue())


def load_checkpoint(path: Path, model: Any) -> dict[str, Any]:
    """Restore what `save_checkpoint` wrote into a model built and compiled in the same way; return `state`.

    Raises:
        DataError: the file is damaged or belongs to another model.
    """
    variables = _variables(model)
    try:
        with path.open("rb") as stream, np.load(stream) as arrays:
            state: dict[str, Any] = json.loads(str(arrays[STATE]))
            values = [arrays[f"v{i}"] for i in range(len(variables))]
    except (*ZIP_DAMAGE, OSError, KeyError) as error:
        raise DataError(f"{path}: expected a checkpoint of this run, but it cannot be read ({error})") from error
    for variable, value in zip(variables, values, strict=True):
        if tuple(variable.shape) != value.shape:
            raise DataError(f"{path}: expected {variable.path} of shape {tuple(variable.shape)}, found {value.shape}")
        variable.assign(value)
    return state


def _variables(model: Any) -> list[Any]:
    return [*model.variables, *model.optimizer.variables]
