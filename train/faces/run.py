"""One training of the face detector from end to end, in a folder that can be continued."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fer_edge.errors import DataError
from fer_edge.faces.finder import FaceFinder, Thresholds
from fer_edge.faces.networks import PROPOSER, REFINER, SHAPES, FaceNetwork
from fer_edge.faces.search import Proposer
from fer_edge.files import locked_folder, write_atomically
from fer_edge.model_file import ModelInfo, read_info
from fer_edge.train.faces.data.annotations import LabelledImage
from fer_edge.train.faces.data.formats import read_annotations
from fer_edge.train.faces.data.material import held_out_images, training_images
from fer_edge.train.faces.evaluate import Row, evaluate, table
from fer_edge.train.faces.mining import keras_network
from fer_edge.train.faces.pair import PROPOSER_STEPS, REFINER_STEPS, train_proposer, train_refiner
from fer_edge.train.faces.plots import draw
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop.run_folder import save_model

CARD, EVALUATION = "run.json", "evaluation.md"
LOW_THRESHOLD = 0.02
"""Of a face, so that the curve of precision and recall goes on to where most detections are false."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """What decides a run, besides its data.

    Attributes:
        seed: of weights and drawing.
        proposer_steps: length of the proposer's training.
        refiner_steps: length of the refiner's training.
    """

    seed: int = 1
    proposer_steps: int = PROPOSER_STEPS
    refiner_steps: int = REFINER_STEPS


def train_face_detector(data: Path, out: Path, plan: Plan, *, resume: bool = False) -> list[Row]:
    """Train proposer and refiner and measure them on the held-out images.

    The folder gets ``face-proposer.keras``, ``face-refiner.keras``, ``run.json`` and ``evaluation.md``.

    Args:
        data: a face data set, see `fer_edge.train.faces.data.formats.read_annotations`.
        out: folder of the run.
        plan: seed and lengths.
        resume: continue the run in `out` that was stopped.

    Returns:
        The rows of the evaluation.

    Raises:
        DataError: no such data; nothing to resume; `out` holds another run.
        OutputError: another process trains in `out`.
    """
    card = {"run": dataclasses.asdict(plan), "data": {"fingerprint": fingerprint(read_annotations(data))}}
    training_images(data)  # what is wrong with them is better known here than in the process that draws
    with locked_folder(out):
        _prepare(out, card, resume)
        models: dict[str, Any] = {PROPOSER: train_proposer(data, out, plan.proposer_steps, plan.seed)}
        models[REFINER] = train_refiner(data, out, models[PROPOSER], plan.refiner_steps, plan.seed)
        for name, model in models.items():
            save_model(model, out / f"{name}.keras", ModelInfo(name, ("face",), SHAPES[name][0][0], training=card))
        finder = float_finder(models[PROPOSER], models[REFINER])
        rows = evaluate(finder.find, held_out_images(data)).rows
        write_atomically(out / EVALUATION, (table(rows) + "\n").encode())
    return rows


def float_finder(proposer: Any, refiner: Any) -> FaceFinder:
    """Return the face detector of two Keras models, at a threshold for curves."""
    return FaceFinder(keras_network(proposer), keras_network(refiner), Thresholds(score=LOW_THRESHOLD))


def evaluate_files(models: Sequence[Path], data: Path, plots: Path | None = None) -> list[Row]:
    """Measure a proposer and a refiner together on the held-out images.

    Args:
        models: one of each, ``.keras`` or ``.tflite``.
        data: a face data set.
        plots: folder for curves and contact sheets, if they are wanted.

    Raises:
        DataError: not one of each, or no such data.
        ModelFileError: a file that cannot be opened.
        OSError: the plots cannot be written.
    """
    networks = {read_info(path).name: path for path in models}
    if set(networks) != set(SHAPES) or len(models) != len(SHAPES):
        raise DataError(
            f"expected one {PROPOSER} and one {REFINER}, found {', '.join(read_info(path).name for path in models)}"
        )
    proposer, refiner = (_opened(networks[name], name) for name in (PROPOSER, REFINER))
    finder = FaceFinder(proposer, refiner, Thresholds(score=LOW_THRESHOLD))
    if plots:
        plots.mkdir(parents=True, exist_ok=True)  # before minutes of measuring
    images = held_out_images(data)
    evaluation = evaluate(finder.find, images)
    if plots:
        draw(plots, [image for _, image in images], evaluation.upright, evaluation.matches)
    return evaluation.rows


def _opened(path: Path, name: str) -> Proposer:
    if path.suffix == ".tflite":
        return FaceNetwork(path, name)
    return keras_network(load_keras().saving.load_model(path, compile=False))


def fingerprint(labelled: Sequence[LabelledImage]) -> str:
    """Return a hash of what a data set says, in hexadecimal; the pixels are not in it."""
    digest = hashlib.sha256()
    for item in labelled:
        digest.update(os.fsencode(f"{item.path.parent.name}/{item.path.name}"))
        digest.update(np.ascontiguousarray(item.boxes).tobytes())
        digest.update(np.ascontiguousarray(item.certain).tobytes())
    return digest.hexdigest()[:16]


def _prepare(out: Path, card: dict[str, Any], resume: bool) -> None:
    known = out / CARD
    if resume:
        try:
            before = json.loads(known.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(
                f"{known}: expected the card of the run to resume, found none; start without --resume"
            ) from error
        if before != card:
            raise DataError(
                f"{out}: holds a run of other arguments or data; resume with those in its {CARD}, or choose another "
                "--out"
            )
    elif known.exists():
        raise DataError(f"{out}: holds a run already; continue it with --resume or choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(known, json.dumps(card, indent=1).encode())
