"""False faces of the network in training, which become its next examples of background."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.faces.crop import Look, crop
from fer_edge.faces.search import Proposer, propose
from fer_edge.faces.squares import overlaps
from fer_edge.files import write_atomically
from fer_edge.train.faces.data.images import TrainingImage
from fer_edge.train.faces.scenes import Mistake

THRESHOLD = 0.25
FACTORS = (1, 2)
MOST_PER_IMAGE = 8
AT_A_TIME = 512
ROLLS = (0.0, -50.0, 50.0)
"""Degrees by which a mistake is turned before the refiner sees it: a face would be found at one of them."""
HARD_LOGIT = -2.5
"""Score of a mistake from which the refiner learns from it more often."""
APART_IOU = 0.2
"""A proposal that overlaps every known face by less is a mistake."""


def keras_network(model: Any) -> Proposer:
    """Return a Keras network as a function of luma, N x rows x columns uint8."""
    import tensorflow as tf

    run = tf.function(
        lambda frames: model(tf.cast(frames, tf.float32)[..., None], training=False),
        input_signature=[tf.TensorSpec((None, None, None), tf.uint8)],
    )

    def network(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(run(frames).numpy(), np.float32)

    return network


def mine(proposer: Proposer, images: Sequence[TrainingImage], chosen: Sequence[int] | None = None) -> list[Mistake]:
    """Return the strongest false faces of every image, or of those `chosen` by their index."""
    mistakes = []
    for index in range(len(images)) if chosen is None else chosen:
        image = images[index]
        squares = propose(proposer, image.luma, FACTORS, THRESHOLD)
        false = [square for square in squares if apart(square, image.faces.squares)]
        mistakes += [Mistake(index, (float(x), float(y), float(side))) for x, y, side, _ in false[:MOST_PER_IMAGE]]
    return mistakes


def hardest(refiner: Any, images: Sequence[TrainingImage], mistakes: Sequence[Mistake]) -> list[Mistake]:
    """Return the mistakes of the proposer that the refiner takes for faces too, upright or tilted.

    At most a quarter of them, the worst.
    """
    worst = np.full(len(mistakes), -np.inf, np.float32)
    for start in range(0, len(mistakes), AT_A_TIME):
        part = mistakes[start : start + AT_A_TIME]
        for roll in ROLLS:
            crops = [crop(images[mistake.image].luma, Look(*mistake.square, roll)) for mistake in part]
            logits = refiner(np.stack(crops)[..., None].astype(np.float32), training=False).numpy()[:, 0]
            worst[start : start + len(part)] = np.maximum(worst[start : start + len(part)], logits)
    order = np.argsort(-worst)[: -(-len(mistakes) // 4)]
    return [mistakes[index] for index in order if worst[index] > HARD_LOGIT]


def apart(square: NDArray[np.float32], faces: NDArray[np.float32]) -> bool:
    """Return whether a square shows none of the known faces, certain or doubtful."""
    return not len(faces) or bool(overlaps(square, faces)[0].max() < APART_IOU)


def save_mistakes(mistakes: Sequence[Mistake], path: Path, step: int) -> None:
    """Write mistakes as JSON.

    Args:
        mistakes: of the network in training.
        path: the file, which is replaced at once.
        step: of the training, at which they were made.
    """
    rows = [[mistake.image, *mistake.square] for mistake in mistakes]
    write_atomically(path, json.dumps({"step": step, "mistakes": rows}).encode())


def load_mistakes(path: Path) -> list[Mistake]:
    """Read what `save_mistakes` wrote; none if there is no such file.

    Raises:
        DataError: the file is damaged, or of an older version.
    """
    return _saved(path)[1]


def mistakes_step(path: Path) -> int:
    """Return the step at which the saved mistakes were made, or -1 if there are none.

    Raises:
        DataError: as `load_mistakes`.
    """
    return _saved(path)[0]


def _saved(path: Path) -> tuple[int, list[Mistake]]:
    if not path.exists():
        return -1, []
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        rows = [Mistake(int(i), (float(x), float(y), float(side))) for i, x, y, side in saved["mistakes"]]
        return int(saved["step"]), rows
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(
            f"{path}: expected the mistakes of a training, found a file that is damaged or of an older version; train "
            "into a new folder"
        ) from error
