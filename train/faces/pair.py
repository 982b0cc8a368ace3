"""The proposer and the refiner from a folder of images, in rounds: train, collect mistakes, train on them."""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.faces.networks import PROPOSER, REFINER
from fer_edge.train.faces.crops import CropMaker, mirrored_crops
from fer_edge.train.faces.data.material import training_images
from fer_edge.train.faces.fit import Batch, Fit, Schedule
from fer_edge.train.faces.losses import proposer_loss, refiner_loss
from fer_edge.train.faces.mining import hardest, keras_network, load_mistakes, mine, mistakes_step, save_mistakes
from fer_edge.train.faces.proposer import build_proposer
from fer_edge.train.faces.refiner import build_refiner
from fer_edge.train.faces.scenes import SceneMaker
from fer_edge.train.faces.targets import mirrored, targets
from fer_edge.train.faces.worker import BatchWorker
from fer_edge.train.loop.ema import recompute_statistics

LOG = logging.getLogger(__name__)

MISTAKES, PROPOSED, HARD = "mistakes.json", "proposed.json", "hard.json"
"""Files of a run: false faces for the proposer, all of them for the refiner, and those that deceive it."""
PROPOSER_STEPS = 35_000
PROPOSER_BATCH = 32
PROPOSER_ROUNDS = (0.15, 0.4, 0.7)
"""Parts of the schedule after which mistakes are collected anew."""
FACE_FREE = 0.45
MINED_IMAGES = 2000
"""Images in which the proposer's mistakes are sought between two rounds."""
REFINER_STEPS = 32_000
REFINER_BATCH = 128
REFINER_ROUNDS = (0.1, 0.25, 0.4, 0.6)
STATISTICS_BATCHES = 40
"""Of training pictures, for the batch norms of the averaged weights."""
HARDEST_AMONG = 20_000
"""Of the proposer's mistakes, drawn anew, those that the refiner is tried on between two rounds."""


def train_proposer(data: Path, folder: Path, steps: int = PROPOSER_STEPS, seed: int = 0) -> Any:
    """Train the proposer, or continue; return the Keras model with averaged weights.

    Args:
        data: a face data set, see `fer_edge.train.faces.data.formats.read_annotations`.
        folder: where checkpoint and mistakes are kept; the same folder continues.
        steps: of `PROPOSER_BATCH` frames each.
        seed: of weights and frames.
    """
    import keras

    keras.utils.set_random_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    fit = Fit(build_proposer(), proposer_loss, Schedule(steps), folder / "proposer.npz")
    for begin, stop in rounds(steps, PROPOSER_ROUNDS):
        if fit.step >= stop:
            continue
        # A run that was killed while it collected mistakes stands at `begin` and collects them again.
        if begin > mistakes_step(folder / MISTAKES) and begin:
            # Another part of the images each time: what is false there is false elsewhere, too.
            chosen = np.random.default_rng(begin).permutation(len(images := training_images(data)))[:MINED_IMAGES]
            mistakes = mine(keras_network(fit.averaged()), images, chosen.tolist())
            save_mistakes(mistakes, folder / MISTAKES, begin)
            LOG.info("%d false faces at step %d", len(mistakes), begin)
        make = functools.partial(scene_batches, data, folder / MISTAKES, seed + 1 + fit.step)
        with BatchWorker(make) as batches:
            fit.run(batches, stop)
    return settled(fit.averaged(), sample_pictures(PROPOSER, data, folder, seed, STATISTICS_BATCHES))


def scene_batches(data: Path, mistakes: Path, seed: int) -> Iterator[Batch]:
    """Yield batches of frames (B x 120 x 160 x 1 uint8) and targets (B x cells x 6 float32) without end."""
    maker = SceneMaker(training_images(data), np.random.default_rng(seed), FACE_FREE)
    maker.mistakes = load_mistakes(mistakes)
    before: Batch | None = None
    while True:
        scenes = [maker.scene() for _ in range(PROPOSER_BATCH)]
        frames = np.stack([frame for frame, _ in scenes])[..., None]
        wanted = np.stack([targets(faces) for _, faces in scenes])
        yield frames, wanted
        if before is not None:
            yield mirrored(*before)
        before = frames, wanted


def train_refiner(data: Path, folder: Path, proposer: Any, steps: int = REFINER_STEPS, seed: int = 0) -> Any:
    """Train the refiner on the proposer's mistakes and, from round to round, on its own; return the Keras model.

    Args:
        data: a face data set, see `fer_edge.train.faces.data.formats.read_annotations`.
        folder: where checkpoint and mistakes are kept; the same folder continues.
        proposer: a trained Keras model.
        steps: of `REFINER_BATCH` crops each.
        seed: of weights and crops.
    """
    import keras

    keras.utils.set_random_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    everything, hard = folder / PROPOSED, folder / HARD
    if not everything.exists():
        save_mistakes(mine(keras_network(proposer), training_images(data)), everything, 0)
    fit = Fit(build_refiner(), refiner_loss, Schedule(steps), folder / "refiner.npz")
    for begin, stop in rounds(steps, REFINER_ROUNDS):
        if fit.step >= stop:
            continue
        if begin > mistakes_step(hard) and begin:
            known = load_mistakes(everything)
            drawn = np.random.default_rng(begin).permutation(len(known))[:HARDEST_AMONG]
            mistakes = hardest(fit.averaged(), training_images(data), [known[index] for index in drawn])
            save_mistakes(mistakes, hard, begin)
            LOG.info("%d of the proposer's false faces deceive the refiner at step %d", len(mistakes), begin)
        make = functools.partial(crop_batches, data, everything, hard, seed + 1 + fit.step)
        with BatchWorker(make) as batches:
            fit.run(batches, stop)
    return settled(fit.averaged(), sample_pictures(REFINER, data, folder, seed, STATISTICS_BATCHES))


def rounds(steps: int, parts: Sequence[float]) -> list[tuple[int, int]]:
    """Return begin and end of each round of a schedule, in steps, from the parts of it after which one ends."""
    ends = [round(steps * part) for part in parts]
    return list(zip([0, *ends], [*ends, steps], strict=True))


def crop_batches(data: Path, mistakes: Path, hard: Path, seed: int) -> Iterator[Batch]:
    """Yield batches of crops (B x 48 x 48 x 1 uint8) and targets (B x 16 float32) without end."""
    maker = CropMaker(training_images(data), np.random.default_rng(seed))
    maker.mistakes, maker.hard = load_mistakes(mistakes), load_mistakes(hard)
    before: Batch | None = None
    while True:
        drawn = [maker.crop() for _ in range(REFINER_BATCH)]
        crops = np.stack([crop for crop, _ in drawn])[..., None]
        wanted = np.stack([target for _, target in drawn])
        yield crops, wanted
        if before is not None:
            yield mirrored_crops(*before)
        before = crops, wanted


def settled(model: Any, pictures: NDArray[np.uint8]) -> Any:
    """Return a network with averaged weights with batch norm statistics of its own; they were other weights'."""
    recompute_statistics(model, pictures)
    return model


def sample_pictures(name: str, data: Path, folder: Path, seed: int, batches: int) -> NDArray[np.uint8]:
    """Return what a network sees in training, N x rows x columns, for the activation calibration.

    Args:
        name: ``face-proposer`` or ``face-refiner``.
        data: a face data set.
        folder: of the run, whose mistakes are among the pictures if it still has them.
        seed: of the drawing.
        batches: how many.
    """
    if name == PROPOSER:
        drawn = scene_batches(data, folder / MISTAKES, seed)
    else:
        drawn = crop_batches(data, folder / PROPOSED, folder / HARD, seed)
    return np.concatenate([pictures for pictures, _ in itertools.islice(drawn, batches)])[..., 0]
