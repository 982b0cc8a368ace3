"""What a Keras file says of its layers, read before any of them is built, so that what has no int8 form is named."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fer_edge.errors import ConversionError, ModelFileError
from fer_edge.lazy import require

RECURRENT = frozenset(
    {"RNN", "SimpleRNN", "LSTM", "GRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Bidirectional", "TimeDistributed"}
)
TRAINING_ONLY = frozenset(
    {
        "ActivityRegularization",
        "AlphaDropout",
        "Dropout",
        "GaussianDropout",
        "GaussianNoise",
        "RandomBrightness",
        "RandomColorJitter",
        "RandomContrast",
        "RandomFlip",
        "RandomRotation",
        "RandomTranslation",
        "RandomZoom",
        "SpatialDropout2D",
    }
)
"""Layers that pass on what they get, outside of training."""

NETWORKS = frozenset({"Functional", "Model", "Sequential"})
LEGACY_SUFFIXES = (".h5", ".hdf5")
KERAS_SUFFIXES = (".keras", *LEGACY_SUFFIXES)


def layer_configs(path: Path) -> list[Mapping[str, Any]]:
    """Return the configurations of all layers in a ``.keras`` or ``.h5`` file, nested ones too, networks left out.

    Raises:
        ModelFileError: the file cannot be read, or holds weights alone.
    """
    return list(_layers(_config(path)))


def _config(path: Path) -> Mapping[str, Any]:
    try:
        if path.suffix in LEGACY_SUFFIXES:
            with require("h5py", "train").File(path, "r") as file:
                text = file.attrs.get("model_config")
        else:
            with zipfile.ZipFile(path) as archive:
                text = archive.read("config.json")
        config = json.loads(text) if text is not None else None
    except (OSError, KeyError, ValueError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ModelFileError(f"{path}: expected a Keras model, found a file that cannot be read ({reason})") from error
    if not isinstance(config, dict):
        raise ModelFileError(
            f"{path}: expected a whole Keras model, found weights alone; build the network, load them, and save it "
            "with model.save('network.keras')"
        )
    return config


def _layers(config: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every layer's entry: a class name and a configuration that names it."""
    if not isinstance(config, dict):
        return
    inner = config.get("config")
    if isinstance(config.get("class_name"), str) and isinstance(inner, dict):
        children = inner.get("layers")
        if isinstance(children, list):
            for child in children:
                yield from _layers(child)
        elif "name" in inner or config["class_name"] in RECURRENT:
            yield config
        elif config["class_name"] not in NETWORKS:
            return


def check_layers(path: Path) -> list[str]:
    """Refuse layers that have no int8 form; return what the report says of those that are left out.

    Raises:
        ConversionError: a layer without int8 form, by its name.
        ModelFileError: see `layer_configs`.
    """
    dropped: dict[str, int] = {}
    for entry in layer_configs(path):
        kind, config = entry["class_name"], entry["config"]
        reason = _reason(kind, entry, config)
        if reason:
            raise ConversionError(f"{path}: layer '{config.get('name', kind)}' ({kind}) {reason}")
        if kind in TRAINING_ONLY:
            dropped[kind] = dropped.get(kind, 0) + 1
    listed = ", ".join(name if count == 1 else f"{count} {name}" for name, count in sorted(dropped.items()))
    return [f"layers for training only are left out: {listed}"] if listed else []


def _reason(kind: str, entry: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Return why a layer has no int8 form; empty if it may have one."""
    if kind == "Lambda":
        return "runs Python code of its file, which is not executed; replace it by layers, such as Rescaling"
    if kind in RECURRENT:
        return "repeats over steps, which has no int8 form here; use a network of convolutions"
    if "3D" in kind:
        return "works in three dimensions, which has no int8 form; use two"
    if "1D" in kind:
        return "works in one dimension, which has no int8 form here; use two"
    if config.get("data_format") == "channels_first":
        return "has its channels first; build the network with data_format='channels_last'"
    module = entry.get("module")
    own = (
        (isinstance(module, str) and not module.startswith("keras"))
        or ">" in kind
        or (module is None and not hasattr(require("keras", "train").layers, kind) and kind not in _OPERATIONS)
    )
    if own or (module is None and entry.get("registered_name") not in (None, kind, "Functional", "Sequential")):
        return "is a layer of your own, whose code is not in the file; replace it by Keras's layers"
    return ""


_OPERATIONS = frozenset({"TFOpLambda", "SlicingOpLambda", "InputLayer"})
"""What Keras 2 calls operators such as ``x + y``."""
