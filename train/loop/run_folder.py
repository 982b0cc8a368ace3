"""The folder of a training run: each of its files is written whole or not at all."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fer_edge.errors import DataError
from fer_edge.files import write_atomically
from fer_edge.model_file import ZIP_DAMAGE, ModelInfo, write_info

MODEL, CHECKPOINT, HISTORY, METADATA = "model.keras", "checkpoint.npz", "history.csv", "run.json"
MOST_DIFFERENCES = 5
"""Settings that an error names."""

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
                f"{out}: holds a run with other settings: {differences(before, metadata)}; repeat its command with "
                f"--resume{_command_of(before)}, or choose another --out"
            )
        metadata = {**metadata, "started": started, "origin": before.get("origin", {})}
    elif (out / CHECKPOINT).exists():
        raise DataError(f"{out}: holds a run already; continue it with --resume or choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    write_metadata(out, metadata)
    return metadata


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Say which settings of two runs differ, by their metadata: ``epochs 40, here 20``."""
    told = []
    now = json.loads(json.dumps(now))  # as what was read, where tuples are lists
    then, here = (dict(_settings(metadata)) for metadata in (before, now))
    for name in here | then:
        old, new = (values.get(name, "not set") for values in (then, here))
        if old != new:
            old, new = (_data(before), _data(now)) if name == "data" else (_shown(old), _shown(new))
            told.append(f"{name} {old}, here {new}")
    more = len(told) - MOST_DIFFERENCES
    return "; ".join(told[:MOST_DIFFERENCES]) + (f"; and {more} more" if more > 0 else "") or "of another version"


def _settings(metadata: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of what a run's hash is taken of, those in groups by the name of the group."""
    yield "model", metadata.get("model")
    yield "data", metadata.get("data", {}).get("fingerprint")  # the file may have been moved
    yield "network", metadata.get("network")
    for name, value in metadata.get("recipe", {}).items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", each) for inner, each in value.items())
        else:
            yield name, value


def _data(metadata: Mapping[str, Any]) -> str:
    data = metadata.get("data", {})
    place = metadata.get("origin", {}).get("data", data.get("name"))
    return f"{place} (fingerprint {str(data.get('fingerprint'))[:12]})"


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _command_of(metadata: Mapping[str, Any]) -> str:
    command = metadata.get("origin", {}).get("command")
    return f" ({command})" if command else ""


def read_metadata(out: Path) -> dict[str, Any]:
    """Return what ``run.json`` holds, empty where it is missing, damaged, or holds other types than a run writes."""
    try:
        metadata = json.loads((out / METADATA).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    kinds = {"origin": dict, "data": dict, "recipe": dict, "finished": dict, "calibration": dict}
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
