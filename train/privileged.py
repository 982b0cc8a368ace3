"""What teachers say of an image, corrected by what ten people said of it, which the student is never shown.

A teacher may know more of a training image than there will be of a new one (Vapnik and Vashist 2009, *learning using
privileged information*; as distillation: Lopez-Paz et al. 2016, arXiv:1511.03643, section 4). FER+ has votes on every
training image. A multinomial logistic regression of the labels on the teachers' log-probabilities and the votes weighs
the two, and makes the probabilities as sure as they are right.

It has a few dozen numbers to learn from thousands of images, so that it learns no label by heart; but it believes the
teachers as much as they are right on these very images. They must not have been trained on them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fer_edge.lazy import require

LEAST = 1e-3
"""Added to a teacher's probabilities before the logarithm, so that a class ruled out has a bounded weight."""


def fit_votes(
    probabilities: NDArray[np.float32], votes: NDArray[np.float32], labels: NDArray[np.int64]
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Learn how far teachers and votes are to be believed.

    Args:
        probabilities: N x classes, of teachers that were not trained on the images.
        votes: N x K, shares.
        labels: (N,), the classes.

    Returns:
        A function from what the teachers say of a view of the same images, N x classes, to what is to be learned of
        it, float32 N x classes. A class without an image among `labels` has probability 0.
    """
    require("sklearn", "train")
    from sklearn.linear_model import LogisticRegression

    def features(said: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.concatenate([np.log(said + LEAST), votes], axis=1)

    fitted = LogisticRegression(max_iter=1000).fit(features(probabilities), labels)

    def corrected(said: NDArray[np.float32]) -> NDArray[np.float32]:
        of_all = np.zeros_like(said)
        of_all[:, fitted.classes_] = fitted.predict_proba(features(said))
        return of_all

    return corrected
