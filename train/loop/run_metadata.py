"""The metadata of a training run: everything that is needed to repeat it, in ``run.json``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fer_edge.machine import describe_machine
from fer_edge.train.data.dataset import Dataset
from fer_edge.train.loop.accelerators import accelerators
from fer_edge.train.recipe import Recipe


def make_run_metadata(
    model: str,
    parameters: int,
    dataset: Dataset,
    recipe: Recipe,
    images: dict[str, int],
    network: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the metadata of a run.

    Args:
        model: name of the architecture.
        parameters: its number of parameters.
        dataset: what is trained on; named by its fingerprint.
        recipe: all settings.
        images: how many images are trained on, held out, and dropped because they leak.
        network: the layers of a model whose name does not tell them.

    Returns:
        JSON-ready; ``run`` is a hash over model, data and recipe: equal runs have equal hashes.
    """
    what = {"model": model, "data": dataset.fingerprint, "recipe": recipe.to_dict()}
    described = {"network": dict(network)} if network else {}
    what |= described
    return {
        "run": hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16],
        "model": model,
        "parameters": parameters,
        **described,
        "data": {
            "name": dataset.name,
            "fingerprint": dataset.fingerprint,
            "images": images,
            "notes": list(dataset.notes),
        },
        "recipe": recipe.to_dict(),
        "machine": describe_machine() | {"accelerators": accelerators()},
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
