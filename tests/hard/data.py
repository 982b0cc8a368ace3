"""Fuzzers of what training reads: tables, votes, recipes, zips, caches, folders of runs."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fer_edge.train.data import cache
from fer_edge.train.data.dataset import SPLITS, Split
from fer_edge.train.data.ferplus import read_votes
from fer_edge.train.data.files.tree import open_tree
from fer_edge.train.data.readers.fer_csv import read_fer_csv
from fer_edge.train.data.readers.fer_download import find_fer_csv
from fer_edge.train.data.readers.folders import list_pictures
from fer_edge.train.loop.run_folder import load_checkpoint, read_metadata, save_checkpoint
from tests.hard.mutations import spoil, spoil_json, spoil_text

One = Callable[[random.Random], str | None]
Prepared = tuple[One, Callable[[], list[str]]]


def nothing() -> list[str]:
    """There is nothing to look at in the end."""
    return []


def tables(folder: Path) -> Prepared:
    """A FER2013 CSV file: whatever is taken has images of 48 x 48 and labels of seven classes."""
    pixels = np.random.default_rng(0).integers(0, 256, (6, 2304))
    usages = ("Training", "Training", "Training", "Training", "PublicTest", "PrivateTest")
    rows = [
        f"{i % 7},{' '.join(map(str, row))},{usage}" for i, (row, usage) in enumerate(zip(pixels, usages, strict=True))
    ]
    text, path = "\n".join(["emotion,pixels,Usage", *rows]) + "\n", folder / "fer2013.csv"

    def one(rng: random.Random) -> str | None:
        data = spoil_text(rng, text)
        path.write_bytes(data)
        splits = read_fer_csv(find_fer_csv(path), lambda count: None)
        for name, split in splits.items():
            assert name in SPLITS
            assert split.images.dtype == np.uint8
            assert split.images.shape == (len(split), 48, 48)
            assert ((split.labels >= 0) & (split.labels < 7)).all()
        assert sum(map(len, splits.values())) <= len(data.splitlines())
        return None

    return one, nothing


def votes(folder: Path) -> Prepared:
    """FER+ votes: whatever is taken has ten counts a row, none below 0."""
    header = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    rows = [f"Training,fer{i:07d}.png,{i % 10},0,1,0,2,0,0,0,{10 - i % 10},0" for i in range(30)]
    text, path = "\n".join([header, *rows]) + "\n", folder / "fer2013new.csv"

    def one(rng: random.Random) -> str | None:
        path.write_bytes(spoil_text(rng, text))
        usages, counts = read_votes(path)
        assert counts.shape == (len(usages), 10)
        assert counts.min(initial=0) >= 0
        return None

    return one, nothing


def recipes(folder: Path) -> Prepared:
    """Recipes and networks in YAML."""
    from fer_edge.train.runs.recipe_file import FOLDER, read_recipe
    from fer_edge.train.zoo.custom import read_network

    texts = [path.read_text() for path in sorted(FOLDER.glob("*.yaml"))]
    networks = [path.read_text() for path in sorted((FOLDER / "networks").glob("*.yaml"))]
    path = folder / "recipe.yaml"

    def one(rng: random.Random) -> str | None:
        network = bool(networks) and rng.random() < 0.5
        path.write_bytes(spoil_text(rng, rng.choice(networks if network else texts)))
        if network:
            read_network(path, 48)
        else:
            read_recipe(path)
        return None

    return one, nothing


def zips(folder: Path) -> Prepared:
    """A data set in a zip: its names, its layout, and every member of it."""
    buffer, image = io.BytesIO(), bytes(range(256))
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for split in ("train", "test"):
            for label in ("happy", "sad"):
                for number in range(3):
                    archive.writestr(f"set/{split}/{label}/{number}.png", image)
    whole, path = buffer.getvalue(), folder / "set.zip"

    def one(rng: random.Random) -> str | None:
        path.write_bytes(spoil(rng, whole))
        with open_tree(path) as tree:
            for file in tree.files:
                assert len(tree.read(file)) <= 64 << 20
            list_pictures(tree)
        return None

    return one, nothing


def caches(folder: Path) -> Prepared:
    """The cache of a data set: it gives back what was stored, or nothing."""
    import os

    os.environ["XDG_CACHE_HOME"] = str(folder)
    rng0 = np.random.default_rng(0)
    split = Split(rng0.integers(0, 256, (5, 8, 8)).astype(np.uint8), np.arange(5), np.arange(5))
    cache.store("key", {"Training": split, "PublicTest": split})
    path = folder / "fer-edge" / "key.npz"
    whole = path.read_bytes()

    def one(rng: random.Random) -> str | None:
        data = spoil(rng, whole)
        path.write_bytes(data)
        found = cache.load("key")
        if found is None:
            return "read anew"
        assert data == whole or found.keys() == {"Training", "PublicTest"}
        assert all(np.array_equal(each.images, split.images) for each in found.values())
        assert all(np.array_equal(each.labels, split.labels) for each in found.values())
        return None

    return one, nothing


class Variable:
    """What a checkpoint restores into, as Keras has it."""

    path = "layer/kernel"

    def __init__(self, value: Any) -> None:
        self.value = value
        self.shape = value.shape

    def numpy(self) -> Any:
        """Return the value."""
        return self.value

    def assign(self, value: Any) -> None:
        """Take another one."""
        self.value = value


class Trained:
    """A model with variables."""

    def __init__(self) -> None:
        self.variables = [Variable(np.arange(12, dtype=np.float32).reshape(3, 4)), Variable(np.ones(5, np.float32))]
        self.optimizer = self
        self.optimizer_variables = self.variables


def runs(folder: Path) -> Prepared:
    """The folder of a run: ``run.json`` of any type, and a spoiled checkpoint."""
    metadata = {
        "run": "0123456789abcdef",
        "model": "nano",
        "started": "2026-01-01T00:00:00+00:00",
        "data": {"name": "x", "fingerprint": "y", "images": {"trained": 3}},
        "recipe": {"epochs": 3, "distillation": {"teachers": ["a"]}},
        "finished": {"epochs": 3, "kept_epoch": 2},
        "calibration": {"temperature": 1.5, "error_before": 0.1, "error_after": 0.05},
    }
    model, checkpoint = Trained(), folder / "checkpoint.npz"
    save_checkpoint(checkpoint, model, {"history": []})
    whole = checkpoint.read_bytes()

    def one(rng: random.Random) -> str | None:
        if rng.random() < 0.5:
            (folder / "run.json").write_text(spoil_json(rng, metadata), encoding="utf-8")
            found = read_metadata(folder)
            assert isinstance(found, dict)
            assert all(isinstance(found.get(name, {}), dict) for name in ("data", "recipe", "finished", "calibration"))
            return "metadata" if found else "none"
        checkpoint.write_bytes(spoil(rng, whole))
        state = load_checkpoint(checkpoint, model)
        assert isinstance(state, dict)
        json.dumps(state)
        assert np.array_equal(model.variables[0].value, np.arange(12, dtype=np.float32).reshape(3, 4))
        return None

    return one, nothing


DATA = {
    "tables": tables,
    "votes": votes,
    "recipes": recipes,
    "zips": zips,
    "caches": caches,
    "runs": runs,
}
