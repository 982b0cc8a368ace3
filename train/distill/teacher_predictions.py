"""Knowledge distillation: teachers' predictions for augmented copies of the training images, computed once and kept.

Hinton, Vinyals and Dean 2015 (arXiv:1503.02531): the student learns from the teachers' softened probabilities beside
the labels. Beyer et al. 2022 (arXiv:2106.05237): teacher and student must see the same crop, so the teachers
predict the very images that the student is trained on. Teachers are slow, so a fixed number of augmented copies is
made and the epochs take them in turn; mirroring, mixing and erasing still change them in every epoch.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ModelFileError, OutputError
from fer_edge.files import write_atomically
from fer_edge.model_file import flatbuffer
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.augment.augmenter import GEOMETRY, AugmentedCopy
from fer_edge.train.data.cache import DIGEST_BYTES, cache_folder, digest_of
from fer_edge.train.data.dataset import Split
from fer_edge.train.data.form import Form
from fer_edge.train.distill.int8_teacher import Int8Teacher
from fer_edge.train.distill.narrowed import NarrowedTeacher
from fer_edge.train.keras_model import KerasModel, load_model

logger = logging.getLogger(__name__)
VERSION = 4  # raise it whenever a copy or the predictions for it would come out differently
BATCH = 256


Teacher = KerasModel | Int8Teacher | NarrowedTeacher


def open_teachers(paths: Sequence[Path], labels: tuple[str, ...], input_size: int, channels: int = 1) -> list[Teacher]:
    """Load the teachers, ``.keras`` or int8 ``.tflite`` files.

    Of one that has all of `labels` and others beside them, these others are left out.

    Raises:
        MissingExtraError: an int8 file, and no TFLite runtime.
        ModelFileError: not a trained model, or one with other labels or another input than the student's.
    """
    opened = [Int8Teacher(path) if path.suffix == ".tflite" else load_model(path) for path in paths]
    teachers: list[Teacher] = [
        NarrowedTeacher(teacher, labels) if set(labels) < set(teacher.info.labels) else teacher for teacher in opened
    ]
    for path, teacher in zip(paths, teachers, strict=True):
        if teacher.info.labels != labels:
            raise ModelFileError(
                f"{path}: expected a teacher for {', '.join(labels)}, found one for {', '.join(teacher.info.labels)}; "
                "train it on the same labels"
            )
        wanted, found = Form(input_size, channels), Form(teacher.info.input_size, teacher.info.channels)
        if found != wanted:
            raise ModelFileError(f"{path}: expected a teacher that sees {wanted}, found one for {found}")
    return teachers


def soften(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Return ``softmax(log p / temperature)`` of each row (Hinton et al. 2015, equation 1)."""
    powers = np.maximum(probabilities, 1e-7) ** (1.0 / temperature)
    softened: NDArray[np.float32] = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return softened


def mixture(rows: NDArray[Any], partner: NDArray[np.int64], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each of N rows times its weight, with that of its partner times the rest (Zhang et al. 2018)."""
    own = weight.reshape(-1, *[1] * (rows.ndim - 1))
    mixed: NDArray[np.float32] = own * rows + (1 - own) * rows[partner]
    return mixed


class TeacherPredictions:
    """Augmented copies of the training images, by number, with the mean of the teachers' probabilities for each."""

    def __init__(
        self,
        training: Split,
        teachers: Sequence[Teacher],
        augmentation: Augmentation,
        seed: int,
        mixed: float = 0.0,
    ) -> None:
        """Prepare; nothing is computed yet.

        Args:
            training: the images.
            teachers: at least one.
            augmentation: its geometry and contrast; the rest is not part of a copy.
            seed: of the copies.
            mixed: share of the images that are mixed with another one before the teachers predict.
        """
        self._images, self._augmentation, self._seed, self._mixed = training.images, augmentation, seed, mixed
        self._unwritten: dict[int, NDArray[np.float16]] = {}  # where nothing can be written: the teachers are slow
        self._teachers = teachers
        # Only what makes the copies, so that students that differ in the rest share them.
        made_by = [getattr(augmentation, name) for name in (*GEOMETRY, "contrast")]
        digest = hashlib.sha256(json.dumps([*made_by, mixed]).encode())
        digest.update(np.ascontiguousarray(training.images).data)
        for teacher in teachers:
            digest.update(teacher.info.contrast.encode())
            asked = teacher.teacher if isinstance(teacher, NarrowedTeacher) else teacher
            if asked is not teacher:
                digest.update(" ".join(teacher.info.labels).encode())
            if isinstance(asked, Int8Teacher):
                digest.update(flatbuffer(asked.path.read_bytes()))
                continue
            for weights in asked.model.get_weights():
                digest.update(np.ascontiguousarray(weights).data)
        self._key = f"{digest.hexdigest()[:32]}-v{VERSION}"

    def mixing(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return with which image each one is mixed in a copy, and its own weight; 1 where it is not mixed.

        Of N images int64 (N,) and float32 (N,).

        Weights are uniform between 0 and 1, as in Beyer et al. 2022, section 3: teachers that know their images by
        heart know no mixture of two.
        """
        rng = np.random.default_rng((self._seed, number, 2))
        partner = rng.permutation(len(self._images))
        chosen, weight = rng.random((2, len(partner)))
        return partner, np.where(chosen < self._mixed, weight, 1.0).astype(np.float32)

    def of_copy(self, number: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return a copy's images, uint8 N x S x S, and the probabilities, N x classes; from the cache if there."""
        name = f"{self._key}-{self._seed}-{number}"
        if kept := _kept(name):
            return kept
        images = AugmentedCopy(self._augmentation, self._seed, number).apply(self._images)
        if self._mixed:
            images = np.rint(mixture(images, *self.mixing(number))).astype(np.uint8)
        if number not in self._unwritten:
            # Rounded also when it is not read back, so that a resumed run learns from the same numbers.
            probabilities = self._predict(images).astype(np.float16)
            if _keep(name, images, probabilities):
                return images, probabilities.astype(np.float32)
            self._unwritten[number] = probabilities
        return images, self._unwritten[number].astype(np.float32)

    def _predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the mean of the teachers' probabilities for the images of a copy and for their mirror images."""
        total: Any = 0.0
        for teacher in self._teachers:
            mean: Any = teacher.predict(images)
            if not teacher.info.training.get("recipe", {}).get("symmetric"):  # it would predict the same again
                mean = (mean + teacher.predict(images[:, :, ::-1])) / 2
            total += mean
        probabilities: NDArray[np.float32] = total / total.sum(axis=1, keepdims=True)
        return probabilities


def predictions_kept() -> tuple[Path, int] | None:
    """Return the folder of all copies that are kept with their predictions, of every run, and its bytes.

    None where nothing can be kept.
    """
    try:
        folder = cache_folder() / "views"
        return folder, sum(path.stat().st_size for path in folder.glob("*.npz"))
    except OSError:
        return None


def describe_teacher(teacher: Teacher) -> dict[str, str]:
    """Return what run metadata holds of a teacher, whose hash alone tells a reader nothing."""
    return {"model": teacher.info.name, "run": str(teacher.info.training.get("run", ""))}


def _file(name: str) -> Path:
    return cache_folder() / "views" / f"{name}.npz"


def _kept(name: str) -> tuple[NDArray[np.uint8], NDArray[np.float32]] | None:
    """Return a copy and its predictions as they were written, or None: then they are made again."""
    try:
        stored = _file(name).read_bytes()
        digest, body = stored[:DIGEST_BYTES], memoryview(stored)[DIGEST_BYTES:]
        if digest != digest_of(name, body):
            logger.warning("a copy of teachers' predictions is damaged, or of an older version; it is made again")
            return None
        with np.load(io.BytesIO(body)) as arrays:
            return arrays["images"], arrays["probabilities"].astype(np.float32)
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None


def _keep(name: str, images: NDArray[np.uint8], probabilities: NDArray[np.float16]) -> bool:
    """Write a copy whole or not at all, and return which; a cache that cannot be written is no reason to fail."""
    body = io.BytesIO()
    np.savez(body, allow_pickle=False, images=images, probabilities=probabilities)
    try:
        path = _file(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, digest_of(name, body.getbuffer()) + body.getvalue())
    except (OSError, OutputError) as error:
        logger.warning("the teachers' predictions are not cached: %s", error)
        return False
    return True
