"""One network from several that began with the same weights: the mean of their weights (Wortsman et al. 2022).

Runs that fine-tune one network under other settings end in one valley of the loss, and the middle of it is often better
than any of them, on faces unlike those of the training most of all (arXiv:2203.05482). It costs nothing more on the
device, unlike the mean of what several networks say. Weights of runs that began apart have no such middle.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ModelFileError
from fer_edge.model_file import ModelInfo, file_hash, read_info
from fer_edge.train.keras_model import KerasModel
from fer_edge.train.loop.ema import recompute_statistics
from fer_edge.train.loop.warm_start import load_warm_start
from fer_edge.train.zoo.registry import find_architecture

SAMPLE = 4096
"""Training images that give batch norm its statistics."""


@dataclasses.dataclass(frozen=True)
class Member:
    """A ``.keras`` or int8 ``.tflite`` file, and its share of the mean, above 0."""

    path: Path
    share: float


def average_models(members: Sequence[Member], images: NDArray[np.uint8]) -> KerasModel:
    """Return the model whose weights are the weighted mean of those of several.

    Args:
        members: two or more of one architecture of the zoo; shares are scaled to sum 1.
        images: training images, uint8 N x S x S, as the network gets them, for the statistics of batch norms.

    Raises:
        ModelFileError: the members are not of one architecture, with the same classes, input and symmetry.
        DataError: their architecture is none of the zoo's.
    """
    infos = [read_info(member.path) for member in members]
    first = infos[0]
    for member, info in zip(members[1:], infos[1:], strict=True):
        if _kind(info) != _kind(first):
            raise ModelFileError(
                f"{member.path}: expected a model like {members[0].path} ({_kind(first)}), found {_kind(info)}; "
                "average models that began with the same weights"
            )
    width = float(first.training.get("recipe", {}).get("width", 1.0))
    classifier = find_architecture(first.name, first.input_size, first.channels, width).build(
        first.input_size, len(first.labels), 0.0
    )
    symmetric = _is_symmetric(first)
    total, weights = sum(member.share for member in members), None
    for member in members:
        load_warm_start(classifier, member.path, first.labels, images, mirror_equivariant=symmetric)
        own = [member.share / total * array for array in classifier.get_weights()]
        weights = own if weights is None else [a + b for a, b in zip(weights, own, strict=True)]
    classifier.set_weights(weights)
    sample = images[np.linspace(0, len(images) - 1, min(len(images), SAMPLE)).astype(np.int64)]
    recompute_statistics(classifier, sample)
    return KerasModel(classifier, dataclasses.replace(first, training=_provenance(members, infos), accuracy={}))


def _is_symmetric(info: ModelInfo) -> bool:
    return bool(info.training.get("recipe", {}).get("symmetric"))


def _kind(info: ModelInfo) -> str:
    tied = "symmetric" if _is_symmetric(info) else "not symmetric"
    return (
        f"{info.name}, {info.input_size}x{info.input_size}, contrast {info.contrast}, {tied}, {' '.join(info.labels)}"
    )


def _provenance(members: Sequence[Member], infos: Sequence[ModelInfo]) -> dict[str, Any]:
    """Return what the mean's file says of its training: its members', and what they have in common."""
    total = sum(member.share for member in members)
    averaged = [
        {"run": str(info.training.get("run", "")), "sha256": file_hash(m.path), "share": round(m.share / total, 4)}
        for m, info in zip(members, infos, strict=True)
    ]
    run = hashlib.sha256(json.dumps(averaged, sort_keys=True).encode()).hexdigest()[:16]
    data = infos[-1].training.get("data", {})
    recipe = {"symmetric": True} if _is_symmetric(infos[0]) else {}
    return {"run": run, "averaged": averaged, "data": data, "recipe": recipe}
