"""Measuring models, whatever their format, through the same preprocessing as the device's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError, ModelFileError
from fer_edge.labels import canonical, prior_weights
from fer_edge.metrics import Metrics, evaluate_scores, paired_difference
from fer_edge.model_file import read_info
from fer_edge.runtime import Classifier, TFLiteModel, crop_shape
from fer_edge.train.data.classes import ordered
from fer_edge.train.data.dataset import Dataset, Split
from fer_edge.train.evaluate import intervals
from fer_edge.train.evaluate.fit import check_known
from fer_edge.train.evaluate.robustness import CONDITIONS, under
from fer_edge.train.keras_model import load_model
from fer_edge.train.progress import progress_bar

NO_MAPPING: Mapping[str, str] = {}


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The result of a model, or of several averaged ones, on a split.

    Attributes:
        metrics: all figures.
        scores: float32, N x classes, averaged over the models.
    """

    metrics: Metrics
    scores: NDArray[np.float32]


class JoinedClasses:
    """A classifier some of whose classes count as others, as `fer_edge.train.data.classes.map_each` says of labels.

    What it says of a class is added to what it says of the one that this becomes. A class that is only left out of the
    data stays: the model says it of other faces all the same.
    """

    def __init__(self, classifier: Classifier, mapping: Mapping[str, str]) -> None:
        """Wrap; `mapping` is class -> the class it becomes, with canonical names."""
        before = classifier.info.labels
        names = [mapping.get(label) or label for label in before]
        self._classifier, self.info = classifier, dataclasses.replace(classifier.info, labels=ordered(names))
        self._becomes = np.zeros((len(before), len(self.info.labels)), np.float32)
        self._becomes[np.arange(len(before)), [self.info.labels.index(name) for name in names]] = 1

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return class probabilities, N x classes, for uint8 images of N x size x size."""
        scores: NDArray[np.float32] = self._classifier.predict(images) @ self._becomes
        return scores


class WithPrior:
    """A classifier whose probabilities assume other shares of the classes, as ``--prior`` has them on the device."""

    def __init__(self, classifier: Classifier, prior: str) -> None:
        """Wrap; raises what `fer_edge.labels.prior_weights` raises."""
        self._classifier, self.info = classifier, classifier.info
        self._weights = np.array(prior_weights(classifier.info, prior), np.float32)

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return class probabilities, N x classes, for uint8 images of N x size x size."""
        weighted = self._classifier.predict(images) * self._weights
        scores: NDArray[np.float32] = weighted / np.maximum(weighted.sum(axis=1, keepdims=True), np.float32(1e-9))
        return scores


def open_all(paths: Sequence[Path], mapping: Mapping[str, str], prior: str | None = None) -> list[Classifier]:
    """Open files, with another prior where one is wanted, their classes joined as `mapping` joins the data set's."""
    names = {canonical(old): canonical(new) for old, new in mapping.items() if new}
    opened: Iterable[Classifier] = map(open_classifier, paths)
    if prior:
        opened = (WithPrior(classifier, prior) for classifier in opened)
    return [JoinedClasses(each, names) if set(each.info.labels) & set(names) else each for each in opened]


def open_classifier(path: Path) -> Classifier:
    """Open a ``.keras`` or ``.tflite`` file, float files included.

    Raises:
        ModelFileError: neither, or not a model of fer-edge.
    """
    if path.suffix == ".keras":
        return load_model(path)
    if path.suffix == ".tflite":
        return TFLiteModel(path, allow_float=True)
    raise ModelFileError(f"{path}: expected a .keras or .tflite file, found '{path.suffix or 'no suffix'}'")


def evaluate_models(
    paths: Sequence[Path],
    dataset: Dataset,
    split_name: str,
    mapping: Mapping[str, str] = NO_MAPPING,
    prior: str | None = None,
) -> Evaluation:
    """Measure a model, or the average of several, on one split.

    Args:
        paths: ``.keras`` or ``.tflite`` files.
        dataset: whose classes `mapping` has joined.
        split_name: of it.
        mapping: what was done to the data set's classes.
        prior: how common classes are to be taken to be, see `fer_edge.labels.prior_weights`; None: as the models do.

    Raises:
        ModelFileError: a file that is not a model, or models with different labels.
        DataError: the data set has other labels, another image size, or not this split.
        ConfigError: `prior` is none for the models' labels.
    """
    classifiers = open_all(paths, mapping, prior)
    split = dataset.split(split_name)
    for path, classifier in zip(paths, classifiers, strict=True):
        if classifier.info.labels != classifiers[0].info.labels:
            raise ModelFileError(
                f"{path.name}: expected the labels of {paths[0].name} ({', '.join(classifiers[0].info.labels)}), found "
                f"{', '.join(classifier.info.labels)}; models are averaged only if their labels agree"
            )
        check_fits(classifier, path, dataset, split)
    scores = _mean_scores(classifiers, split.images)
    return Evaluation(evaluate_scores(scores, split.labels, dataset.labels), scores)


def leak_warnings(paths: Sequence[Path]) -> list[str]:
    """Return a warning for each model that was trained on test images or on images made from them."""
    found = []
    for path in paths:
        training = read_info(path).training
        notes = training.get("data", {}).get("notes", [])
        if "protocol" in training.get("recipe", {}) or any(str(note).startswith("LEAKY") for note in notes):
            found.append(
                f"{path.name} was trained under a leaky protocol, on images of every split of its data; an accuracy on "
                "any of them says little about new faces"
            )
    return found


def measure_with_mirror(
    paths: Sequence[Path],
    split: Split,
    plain: Evaluation,
    mapping: Mapping[str, str] = NO_MAPPING,
    prior: str | None = None,
) -> Metrics:
    """Measure with each image's scores averaged with those of its mirror image; `plain` has its own scores.

    It costs a second inference an image, so it is never the accuracy of the model.
    """
    mirrored = _mean_scores(open_all(paths, mapping, prior), split.images[:, :, ::-1])
    names = tuple(c.label for c in plain.metrics.classes)
    return evaluate_scores((plain.scores + mirrored) / 2, split.labels, names)


@dataclasses.dataclass(frozen=True)
class UnderCondition:
    """A model under one of `fer_edge.train.evaluate.robustness.CONDITIONS`; all are shares in 0..1.

    Attributes:
        top1: accuracy.
        difference: `top1` minus that of the images as they are.
        difference_se: standard error of `difference`, paired: both are of the same images.
        interval: of `difference`, 95 %, paired as well.
    """

    top1: float
    difference: float
    difference_se: float
    interval: intervals.Interval


def measure_robustness(
    paths: Sequence[Path],
    split: Split,
    plain: Evaluation,
    mapping: Mapping[str, str] = NO_MAPPING,
    prior: str | None = None,
) -> dict[str, UnderCondition]:
    """Measure under each of `fer_edge.train.evaluate.robustness.CONDITIONS`; `plain` has the images as they are."""
    classifiers = open_all(paths, mapping, prior)
    hits = plain.scores.argmax(axis=1) == split.labels
    found = {}
    with progress_bar("measuring robustness", len(CONDITIONS)) as advance:
        for condition in CONDITIONS:
            called = _mean_scores(classifiers, under(condition, split.images)).argmax(axis=1)
            under_it = called == split.labels
            difference, error = paired_difference(hits, under_it)
            found[condition.name] = UnderCondition(
                float(under_it.mean()), difference, error, intervals.paired(hits, under_it)
            )
            advance(1)
    return found


def _mean_scores(classifiers: Sequence[Classifier], images: NDArray[np.uint8]) -> NDArray[np.float32]:
    each = np.stack([classifier.predict(np.ascontiguousarray(images)) for classifier in classifiers])
    scores: NDArray[np.float32] = each.mean(axis=0, dtype=np.float32)
    return scores


def check_fits(classifier: Classifier, path: Path, dataset: Dataset, split: Split) -> None:
    """Raise DataError unless the data set has the labels and the image size of the model."""
    info = classifier.info
    if info.labels != dataset.labels:
        check_known(dataset.name, dataset.labels, path, info.labels)
        lacking = set(info.labels) - set(dataset.labels)
        advice = "take a model for these labels"
        if lacking == {"contempt"}:
            advice = "such a model needs FER+'s labels: add --ferplus fer2013new.csv"
        elif lacking:
            advice = "take a data set that has all of them, joined with '+' perhaps, or a model for these labels"
        raise DataError(
            f"{dataset.name}: expected the labels of {path.name} ({', '.join(info.labels)}), "
            f"found {', '.join(dataset.labels)}; {advice}"
        )
    if split.images.shape[1:] != crop_shape(info):
        expected, found = ("x".join(map(str, shape)) for shape in (crop_shape(info), split.images.shape[1:]))
        raise DataError(f"{dataset.name}: expected images of {expected} for {path.name}, found {found}")


def worst_mistakes(evaluation: Evaluation, split: Split, count: int) -> NDArray[np.int64]:
    """Return the indices of the wrongly classified images, the most confident mistakes first, at most `count`."""
    predicted = evaluation.scores.argmax(axis=1)
    wrong = np.flatnonzero(predicted != split.labels)
    confidence = evaluation.scores[wrong, predicted[wrong]]
    worst: NDArray[np.int64] = wrong[np.argsort(-confidence, kind="stable")][:count]
    return worst
