"""Fuzzers of model files: bits, structure and metadata of a ``.tflite``, and ``.keras``."""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile
from pathlib import Path

import numpy as np

from fer_edge.model_file import CHECKSUM_NAME, INFO_NAME, check_tflite, flatbuffer, read_info
from fer_edge.runtime import TFLiteModel
from fer_edge.shipped import find_model
from tests.hard.data import Prepared, nothing
from tests.hard.mutations import spoil, spoil_json

CROP = np.random.default_rng(0).integers(0, 256, (48, 48)).astype(np.uint8)


def file_of(body: bytes, info: str) -> bytes:
    """Return a model file with a checksum that fits."""
    buffer = io.BytesIO()
    buffer.write(body)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(INFO_NAME, info.encode("utf-8", "surrogatepass"))
        archive.writestr(CHECKSUM_NAME, hashlib.sha256(body).hexdigest())
    return buffer.getvalue()


def bits(folder: Path) -> Prepared:
    """A shipped file with spoiled bytes: refused, or the very model and metadata that it was."""
    original = find_model("nano")
    whole, path = original.read_bytes(), folder / "model.tflite"
    body, info = flatbuffer(whole), read_info(original)
    expected = TFLiteModel(original).scores(CROP)

    def one(rng: random.Random) -> str | None:
        data = spoil(rng, whole)
        path.write_bytes(data)
        check_tflite(path)
        assert read_info(path) == info
        assert flatbuffer(data) == body
        if rng.random() < 0.02:
            assert np.array_equal(TFLiteModel(path).scores(CROP), expected)
        return None

    return one, nothing


def structure(folder: Path) -> Prepared:
    """A flatbuffer that is broken in itself, with a checksum that fits."""
    original = find_model("nano")
    body, info, path = flatbuffer(original.read_bytes()), read_info(original).to_json(), folder / "model.tflite"

    def one(rng: random.Random) -> str | None:
        path.write_bytes(file_of(spoil(rng, body, 2), info))
        scores = TFLiteModel(path).scores(CROP)
        assert scores.shape == (7,)
        assert np.isfinite(scores).all()
        return None

    return one, nothing


def metadata(folder: Path) -> Prepared:
    """Metadata with values of other types: a model that is opened answers as it did."""
    original = find_model("nano")
    body, info, path = flatbuffer(original.read_bytes()), json.loads(read_info(original).to_json()), folder / "m.tflite"
    expected = TFLiteModel(original).scores(CROP)
    from fer_edge.device.web.about import describe_model, stated_accuracy  # what the page says of it

    def one(rng: random.Random) -> str | None:
        path.write_bytes(file_of(body, spoil_json(rng, info)))
        model = TFLiteModel(path)
        describe_model(path)
        stated_accuracy(model.info)
        if model.info.contrast == "none" and "hog" not in model.info.conversion:
            assert np.array_equal(model.scores(CROP), expected)
        return None

    return one, nothing


def keras_files(folder: Path) -> Prepared:
    """A ``.keras`` file: spoiled bytes, spoiled configuration, spoiled weights."""
    from fer_edge.model_file import ModelInfo
    from fer_edge.train.keras_model import load_model
    from fer_edge.train.loop.run_folder import save_model
    from fer_edge.train.zoo.registry import find_architecture

    path, labels = folder / "model.keras", tuple("abcdefg")
    save_model(find_architecture("nano").build(48, 7, 0.0), path, ModelInfo("nano", labels))
    whole = path.read_bytes()
    expected = load_model(path).predict(CROP[None])
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])

    def one(rng: random.Random) -> str | None:
        kind = rng.randrange(20)
        changed = dict(members)
        if kind > 1:
            path.write_bytes(spoil(rng, whole))
            assert np.allclose(load_model(path).predict(CROP[None]), expected)
            return None
        if kind == 0:
            changed["config.json"] = spoil_json(rng, config).encode()
        else:
            changed["model.weights.h5"] = spoil(rng, members["model.weights.h5"])
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in changed.items():
                archive.writestr(name, content)
        assert load_model(path).predict(CROP[None]).shape == (1, 7)
        return "taken, of another kind"

    return one, nothing


MODELS = {
    "tflite-bits": bits,
    "tflite-structure": structure,
    "tflite-metadata": metadata,
    "keras": keras_files,
}
