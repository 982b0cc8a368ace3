"""A teacher that knows more classes than its student, such as one with contempt."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from fer_edge.train.distill.int8_teacher import Int8Teacher
from fer_edge.train.keras_model import KerasModel


class NarrowedTeacher:
    """Gives the probabilities of the student's classes alone, scaled to sum 1.

    Attributes:
        teacher: the teacher itself.
        info: the teacher's, with the student's labels.
    """

    def __init__(self, teacher: KerasModel | Int8Teacher, labels: tuple[str, ...]) -> None:
        """Wrap a teacher all of whose student's `labels` are among its own."""
        self.teacher, self.info = teacher, dataclasses.replace(teacher.info, labels=labels)
        self._columns = [teacher.info.labels.index(label) for label in labels]

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return class probabilities, N x classes, for uint8 images of N x size x size."""
        among = np.maximum(self.teacher.predict(images)[:, self._columns], np.float32(1e-7))
        probabilities: NDArray[np.float32] = among / among.sum(axis=1, keepdims=True)
        return probabilities
