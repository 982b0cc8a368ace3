"""The end of a run: the temperature goes into its model file, and ``run.json`` says how it ended."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fer_edge.errors import DataError
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.augment.augmenter import AugmentedCopy
from fer_edge.train.data.dataset import Split
from fer_edge.train.data.ferplus import MAJORITY
from fer_edge.train.keras_model import KerasModel, load_model
from fer_edge.train.loop.history import Epoch, best_epoch
from fer_edge.train.loop.prepare import PreparedRun
from fer_edge.train.loop.run_folder import METADATA, MODEL, read_metadata, save_model, write_metadata
from fer_edge.train.loop.temperature import calibrate, fold_temperature

COPIES = 4
"""Augmented copies of each held-out image, for the temperature."""


def finish(run: PreparedRun, history: Sequence[Epoch], calibrated_like: Mapping[str, Any] | None) -> None:
    """Find the temperature on what was held out, or take that of another run, and write how the run ended.

    Args:
        run: whose model file is there.
        history: all its epochs.
        calibrated_like: the metadata of a run whose temperature is taken where nothing is held out.
    """
    model = run.out / MODEL
    ended: dict[str, Any] = {
        "finished": {"epochs": len(history), "kept_epoch": best_epoch(history).epoch if history else 0}
    }
    if run.holdout:
        ended["calibration"] = calibrate_file(model, run.holdout, run.recipe.augmentation, run.recipe.seed)
    elif calibrated_like:
        ended["calibration"] = calibrate_file_like(model, calibrated_like)
    write_metadata(run.out, {**run.metadata, **ended})


def calibrate_file(path: Path, holdout: Split, augmentation: Augmentation, seed: int) -> dict[str, Any]:
    """Calibrate a model file on held-out images; one that was calibrated already says again what was found.

    The images lie in their crops as those that it was trained on, in `COPIES` augmented copies: so they do where the
    model is used, and it is right less often there than on the crops of a data set. Where people voted, they are those
    on whose class more than half agree, as in FER+'s test splits (`fer_edge.train.data.ferplus`).
    """
    model = load_model(path)
    if done := _found_before(model):
        return done
    agreed = holdout if holdout.votes is None else holdout.take(holdout.votes.max(axis=1) > MAJORITY)
    holdout = agreed if len(agreed) else holdout
    copies = [AugmentedCopy(augmentation, seed, number).apply(holdout.images) for number in range(COPIES)]
    scores = np.concatenate([model.predict(images) for images in copies])
    found = calibrate(model.model, scores, np.tile(holdout.labels, COPIES), len(holdout))
    return _keep(model, path, dataclasses.asdict(found) | {"views": COPIES})


def calibrate_file_like(path: Path, other: Mapping[str, Any]) -> dict[str, Any]:
    """Fold into a model file the temperature that another run, with the metadata `other`, found on what it held out.

    A run that holds nothing out cannot know how much too sure it is; one of the same recipe that does can.
    """
    model = load_model(path)
    if done := _found_before(model):
        return done
    found = {**other["calibration"], "run": other["run"]}
    fold_temperature(model.model, found["temperature"])
    return _keep(model, path, found)


def read_calibration(run: Path, model: str, fingerprint: str, recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a run that found a temperature, of a model like the one that is to have it.

    Args:
        run: the folder that ``fer-edge train`` left.
        model: name of the architecture.
        fingerprint: of the data set.
        recipe: of the run that is to have the temperature.

    Raises:
        DataError: no such run; one that held out nothing, found no temperature, was killed, or has its temperature
            from another; or one of another model, data set or teachers.
    """
    path = run / METADATA
    try:
        metadata = read_metadata(run)
        found = metadata["calibration"]
        numbers = [float(found[key]) for key in ("temperature", "error_before", "error_after")]
        described = (metadata["model"], metadata["data"]["fingerprint"], _taught_by(metadata["recipe"]))
        if not all(map(math.isfinite, numbers)) or numbers[0] <= 0 or "run" in found or not found.get("found", True):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: expected the metadata of a finished run with a --holdout, which finds a temperature, found none; "
            "name the folder of such a run"
        ) from error
    expected = (model, fingerprint, _taught_by(recipe))
    for what, mine, theirs in zip(("model", "data set", "teachers"), expected, described, strict=True):
        if mine != theirs:
            raise DataError(
                f"{path}: expected a run of the same {what}, found one of another; train one with the same arguments "
                "and a --holdout, fewer --epochs perhaps"
            )
    return metadata


def _taught_by(recipe: Mapping[str, Any]) -> list[str]:
    distillation = recipe.get("distillation") or {}
    return list(distillation.get("teachers", ())) if isinstance(distillation, dict) else []


def _found_before(model: KerasModel) -> dict[str, Any] | None:
    found: dict[str, Any] | None = model.info.training.get("calibration")
    return found


def _keep(model: KerasModel, path: Path, found: dict[str, Any]) -> dict[str, Any]:
    info = dataclasses.replace(model.info, training={**model.info.training, "calibration": found})
    save_model(model.model, path, info)
    return found
