"""What any network file is, and what it lacks for fer-edge."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from fer_edge.errors import FerEdgeError, ModelFileError
from fer_edge.lazy import require
from fer_edge.model_file import TFLITE_IDENTIFIER, ZIP_DAMAGE, ModelInfo, check_tflite, file_hash, read_info
from fer_edge.runtime import load_runtime
from fer_edge.train.data.form import Form

CONVERT = "convert it with 'fer-edge convert NETWORK --int8 --labels NAMES --data DATA --out FILE.tflite'"
LEGACY_SUFFIXES = (".h5", ".hdf5")


def describe_file(path: Path) -> dict[str, Any]:
    """Return what a network file says of itself, JSON-ready, with the sentences about what it ``lacks``.

    Raises:
        ModelFileError: the file is no network, or damaged.
    """
    if path.is_dir():
        if not (path / "saved_model.pb").is_file():
            raise ModelFileError(f"{path}: expected a SavedModel folder, found one without saved_model.pb")
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        return {
            "file": str(path),
            "kind": "SavedModel",
            "bytes": size,
            "lacks": [f"labels and an int8 form; {CONVERT}"],
        }
    found: dict[str, Any] = {"file": str(path), "bytes": path.stat().st_size}
    if path.suffix in LEGACY_SUFFIXES:
        return found | {"kind": "Keras HDF5"} | _layers(_legacy_config(path)) | _lacks("labels and an int8 form")
    with path.open("rb") as file:
        is_tflite = file.read(8)[4:] == TFLITE_IDENTIFIER
    if is_tflite:
        return found | _tflite(path)
    config = _keras_config(path)
    try:
        return found | {"kind": "Keras, made by fer-edge train"} | _info(path, read_info(path)) | {"lacks": []}
    except ModelFileError:
        return found | {"kind": "Keras"} | _layers(config) | _lacks("labels and an int8 form")


def _lacks(what: str) -> dict[str, Any]:
    return {"lacks": [f"{what}; {CONVERT}"]}


def _info(path: Path, info: ModelInfo) -> dict[str, Any]:
    said = {
        "name": info.name,
        "labels": list(info.labels),
        "input": str(Form(info.input_size, info.channels)),
        "sha256": file_hash(path),
    }
    for key in ("quantization", "multiply_adds", "parameters"):
        if key in info.conversion:
            said[key] = info.conversion[key]
    for split, figures in info.accuracy.items():
        if isinstance(figures, dict) and "top1" in figures:
            said[f"accuracy_on_{split}"] = f"{figures['top1']:.2%} of {figures.get('images', '?')} images"
    return said


def _tflite(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": "TFLite"}
    try:
        info = read_info(path)
    except FerEdgeError:
        lacks = (
            "labels and an input definition, which a conversion by fer-edge writes; find the Keras network that it "
            f"was made from, and {CONVERT}"
        )
        return found | _ports_of_a_stranger(path) | {"lacks": [lacks]}
    check_tflite(path)
    return found | ports(path) | _info(path, info) | {"lacks": []}


def ports(path: Path) -> dict[str, list[str]]:
    """Return the dtypes and shapes of a TFLite file's inputs and outputs.

    Raises:
        ModelFileError: the runtime refuses the file.
    """
    try:
        interpreter = load_runtime().Interpreter(model_content=path.read_bytes())
        tensors = {"inputs": interpreter.get_input_details(), "outputs": interpreter.get_output_details()}
    except (ValueError, RuntimeError) as error:
        raise ModelFileError(f"{path}: the TFLite runtime refuses this file ({str(error).splitlines()[0]})") from error
    return {
        name: [f"{t['dtype'].__name__} {'x'.join(map(str, t['shape']))}" for t in several]
        for name, several in tensors.items()
    }


def _ports_of_a_stranger(path: Path) -> dict[str, list[str]]:
    """Do the same of a file without a checksum; a damaged one may end the process that opens it, so in another one."""
    code = f"import json, pathlib, sys; from {__name__} import ports; "
    code += "print(json.dumps(ports(pathlib.Path(sys.argv[1]))))"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ModelFileError(f"{path}: the TFLite runtime cannot open this file; it is damaged, or of a newer version")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _keras_config(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("config.json"))
    except (OSError, KeyError, ValueError, RecursionError, *ZIP_DAMAGE) as error:
        raise ModelFileError(
            f"{path}: expected a network (.tflite, .keras, .h5 or a SavedModel folder), found a file that is none"
        ) from error


def _legacy_config(path: Path) -> Any:
    try:
        with require("h5py", "train").File(path, "r") as file:
            text = file.attrs.get("model_config")
    except OSError as error:
        raise ModelFileError(f"{path}: expected a Keras HDF5 file, found one that cannot be read") from error
    if text is None:
        raise ModelFileError(f"{path}: expected a whole network, found weights alone; save it with model.save()")
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise ModelFileError(
            f"{path}: expected a Keras HDF5 file, found one whose configuration is damaged; save it again"
        ) from error


def _layers(config: Any) -> dict[str, Any]:
    """Return the kinds of layers in a Keras configuration, each with its number."""
    kinds: dict[str, int] = {}

    def count(entry: Any) -> None:
        inner = entry.get("config") if isinstance(entry, dict) else None
        if not isinstance(inner, dict):
            return
        if isinstance(inner.get("layers"), list):
            for child in inner["layers"]:
                count(child)
        else:
            kinds[str(entry.get("class_name"))] = kinds.get(str(entry.get("class_name")), 0) + 1

    count(config)
    return {"layers": [f"{number} {kind}" for kind, number in kinds.items()]}
