"""Which images of a data set calibrate and fine-tune, and which only measure the result."""

from __future__ import annotations

from fer_edge.errors import DataError
from fer_edge.train.data.dataset import PUBLIC_TEST, TRAINING, Dataset, Split
from fer_edge.train.data.duplicates import hold_out, training_without_leaks

HELD_OUT = "the held-out tenth of Training"


def measuring_images(dataset: Dataset) -> tuple[str, Split]:
    """Return the images that nothing is chosen on, and what they are called: PublicTest, or a tenth of Training.

    Raises:
        DataError: there are none.
    """
    if PUBLIC_TEST in dataset.splits:
        name, split = PUBLIC_TEST, dataset.split(PUBLIC_TEST)
    else:
        name, split = HELD_OUT, hold_out(training_without_leaks(dataset))[1]
    if not len(split):
        raise DataError(f"{dataset.name}: expected images in {name} to measure the result on, found none")
    return name, split


def tuning_images(dataset: Dataset) -> Split:
    """Return the images to calibrate and fine-tune with: Training without those that occur in another split.

    Raises:
        DataError: there are none.
    """
    training = training_without_leaks(dataset)
    if PUBLIC_TEST not in dataset.splits:
        training = hold_out(training)[0]
    if not len(training):
        raise DataError(f"{dataset.name}: expected images in {TRAINING} to calibrate with, found none")
    return training
