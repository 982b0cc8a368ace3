"""The folder of a training run: each of its files is written whole or not at all."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fer_edge.errors import DataError
from fer_edge.files import write_atomically
from fer_edge.model_file import ZIP_DAMAGE, ModelInfo, write_info

MODEL, CHECKPOINT, HISTORY, METADATA = "model.keras", "checkpoint.npz", "history.csv", "run.json"
STATE = "state"
"""Of a checkpoint's arrays, the one that holds JSON."""


def claim_folder(out: Path, metadata: dict[str, Any], resume: bool) -> dict[str, Any]:
    """Make the folder of a run and write its metadata, or find there the run that is to be resumed.

    Args:
        out: the folder.
        metadata: of the run.
        resume: whether to continue the run that is there.

    Returns:
        The metadata; that of a resumed run with the time at which it started.

    Raises:
        DataError: nothing to resume; or `out` belongs to another run, or to a run that is not to be resumed.
    """
    known = out / METADATA
    if resume:
        if not (out / CHECKPOINT).exists():
            raise DataError(f"{out}: expected the checkpoint of a run to resume, found none; start without --resume")
        before = read_metadata(out)
        run, started = before.get("run"), before.get("started")
        if not isinstance(run, str) or not isinstance(started, str):
            raise DataError(f"{known}: expected the metadata of the run to resume, but it cannot be read")
        if run != metadata["run"]:
            raise DataError(
                f"{out}: holds run {run}, these arguments and data make run {metadata['run']}; "
                "resume with the arguments in its run.json, or choose another --out"
            )
        metadata = {**metadata, "started": started}
    elif (out / CHECKPOINT).exists():
        raise DataError(f"{out}: holds a run already; continue it with --resume or choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    write_metadata(out, metadata)
    return metadata


def read_metadata(out: Path) -> dict[str, Any]:
    """Return what ``run.json`` holds, empty where it is missing, damaged, or holds other types than a run writes."""
    try:
        metadata = json.loads((out / METADATA).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    kinds = {"data": dict, "recipe": dict, "finished": dict, "calibration": dict}
    if not isinstance(metadata, dict) or not all(
        isinstance(metadata[name], kind) for name, kind in kinds.items() if name in metadata
    ):
        return {}
    return metadata


def write_metadata(out: Path, metadata: Mapping[str, Any]) -> None:
    """Write ``run.json``."""
    write_atomically(out / METADATA, json.dumps(metadata, indent=1).encode())


def save_model(classifier: Any, path: Path, info: ModelInfo) -> None:
    """Write a trained Keras model with what it carries."""
    temporary = path.with_name(f".{path.stem}.part.keras")
    try:
        classifier.save(temporary)
        write_info(temporary, info)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
            if not isinstance(state, dict) or not all(isinstance(value, np.ndarray) for value in values):
                raise ValueError("it holds other types")  # numpy gives the bytes of a member that is no array
    except (*ZIP_DAMAGE, OSError, KeyError, TypeError, MemoryError) as error:  # an array may claim any size
        raise DataError(f"{path}: expected a checkpoint of this run, but it cannot be read ({error})") from error
    for variable, value in zip(variables, values, strict=True):
        if tuple(variable.shape) != value.shape:
            raise DataError(f"{path}: expected {variable.path} of shape {tuple(variable.shape)}, found {value.shape}")
        variable.assign(value)
    return state


def _variables(model: Any) -> list[Any]:
    return [*model.variables, *model.optimizer.variables]
