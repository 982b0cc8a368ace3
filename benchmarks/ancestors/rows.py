"""The published systems that are put to the test: what each claims, and the options that repeat it."""

from __future__ import annotations

import dataclasses

THEIRS, HONEST = "theirs", "honest"
PROTOCOLS = (THEIRS, HONEST)
DATA = {"fer2013": "fer2013.csv", "ckplus48": "ckplus48.zip", "affectnet": "affectnet"}
"""Data set -> its usual file or folder name."""

PATIENCE = 10
"""Of the honest runs; at a constant rate it changes nothing but their time."""


@dataclasses.dataclass(frozen=True)
class Row:
    """A claim.

    Attributes:
        name: of the row, its result file and its runs.
        system: who claims it, and what was trained.
        claim: top-1 accuracy in percent; None where none was published.
        options: of ``fer-edge train``, without data, protocol and epochs.
        epochs: of the publication, or as many as a run on a CPU can have; the table says which.
        resample: the balancing before the division of the data that the claim rests on; "" if it rests on none.
        other: the data set joined with FER2013, a key of `DATA`, without contempt, which FER2013 lacks; "" for none.
        members: rows whose trained models are averaged; nothing is trained then.
        missing: why the row is not run unless it is named; "" if it is.
    """

    name: str
    system: str
    claim: float | None
    options: tuple[str, ...] = ()
    epochs: int = 0
    resample: str = ""
    other: str = ""
    members: tuple[str, ...] = ()
    missing: str = ""

    def protocol_options(self, protocol: str) -> tuple[str, ...]:
        """Return what a protocol adds to `options`.

        Theirs balances all splits together before they are divided or, where nothing is balanced, trains on the
        images that occur in the tests as well, which the publications do not take out. Honest takes them out, and
        blank images and conflicting labels, and balances what is trained on alone.
        """
        if not self.resample:
            return ("--clean",) if protocol == HONEST else ("--keep-leaks",)
        balance = ("--resample", self.resample)
        if protocol == HONEST:
            return (*balance, "--clean", "--patience", str(PATIENCE))
        # What they chose the epoch by leaked as well, so that the last ones looked best: all epochs, the last is kept.
        return (*balance, "--protocol", "leaky-resample", "--holdout", "0", "--patience", "0")


_STANFORD = ("--preset", "stanford")
_GPU = "needs a GPU"
_AUCAIRO = "Gaballa and Tantawy, VGG"
_VGG = ("--preset", "aucairo")
# The VGG's data and protocol with a network that a CPU can train, at that network's own rate and dropout.
_DEEP = (*_VGG, "--model", "deep-cnn", "--learning-rate", "0.001", "--dropout", "0.25")
_DEEP_EPOCHS = 6

ROWS = (
    Row(
        "cnn-lstm",
        "Ioannou, CNN-LSTM, over-sampled, with CK+",
        82.45,
        ("--preset", "ioannou"),
        48,
        resample="ros",
        other="ckplus48",
    ),
    Row("jain", "Jain, 4 convolutions", 67.0, ("--preset", "jain"), 50),
    Row("khopkar", "Khopkar and Saxena, the same network", 66.7, ("--preset", "khopkar"), 15),
    Row("ffnn", "Jain's baseline, feed-forward", None, ("--preset", "jain", "--model", "ffnn"), 50),
    Row("stanford-deep", "Alizadeh and Fazel, deep", None, _STANFORD, 36),
    Row("stanford-shallow", "Alizadeh and Fazel, shallow", None, (*_STANFORD, "--model", "shallow-cnn"), 36),
    Row("stanford-hog", "Alizadeh and Fazel, with HOG", None, (*_STANFORD, "--model", "hog-cnn"), 36),
    Row("deep-ros", "over-sampled, 4 convolutions for the VGG", 85.97, _DEEP, _DEEP_EPOCHS, "ros"),
    Row("deep-smote", "SMOTE, 4 convolutions for the VGG", 87.18, _DEEP, _DEEP_EPOCHS, "smote"),
    Row("deep-smote-tomek", "SMOTE + Tomek, 4 convolutions for the VGG", 82.88, _DEEP, _DEEP_EPOCHS, "smote-tomek"),
    Row("deep-smote-enn", "SMOTE + ENN, 4 convolutions for the VGG", None, _DEEP, _DEEP_EPOCHS, "smote-enn"),
    Row(
        "deep-ensemble",
        "the mean of the three, 4 convolutions for the VGG",
        97.18,
        members=("deep-ros", "deep-smote", "deep-smote-tomek"),
    ),
    Row("vgg-tuned", f"{_AUCAIRO}, tuned", 66.15, _VGG, 100, missing=_GPU),
    Row("vgg-ros", f"{_AUCAIRO}, over-sampled", 85.97, _VGG, 100, "ros", missing=_GPU),
    Row("vgg-smote", f"{_AUCAIRO}, SMOTE", 87.18, _VGG, 100, "smote", missing=_GPU),
    Row("vgg-smote-tomek", f"{_AUCAIRO}, SMOTE + Tomek", 82.88, _VGG, 100, "smote-tomek", missing=_GPU),
    Row("vgg-smote-enn", f"{_AUCAIRO}, SMOTE + ENN", None, _VGG, 100, "smote-enn", missing=_GPU),
    Row(
        "vgg-ensemble",
        f"{_AUCAIRO}, the mean of the three",
        97.18,
        members=("vgg-ros", "vgg-smote", "vgg-smote-tomek"),
        missing=_GPU,
    ),
    Row(
        "vgg-augmented",
        f"{_AUCAIRO}, augmented",
        60.88,
        (*_VGG, "--flip", "--rotation", "10", "--noise", "0.5"),
        100,
        missing=_GPU,
    ),
    Row(
        "vgg-auxiliary",
        f"{_AUCAIRO}, with AffectNet",
        30.31,
        _VGG,
        100,
        other="affectnet",
        missing=f"{_GPU} and AffectNet",
    ),
)
"""In the order in which they are run."""


def find(name: str) -> Row:
    """Return the row called `name`; raises KeyError."""
    return {row.name: row for row in ROWS}[name]
