"""How to convert: what `fer_edge.convert.api.convert` and the command are told, with the rules that it must keep."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fer_edge.config import check_choice, check_count, check_path
from fer_edge.errors import ConfigError
from fer_edge.train.data.spec import AUTO, FACES
from fer_edge.train.recipe import LARGEST_SEED

if TYPE_CHECKING:
    from fer_edge.train.data.dataset import Dataset

Name = str | os.PathLike[str]

QAT_EPOCHS = 3
"""Epochs of quantization-aware fine-tuning."""

SUFFIX = ".tflite"

COLOURS = ("grey", "rgb")
SCALES = ("0..1", "-1..1", "0..255", "imagenet")
"""What a network may want of its pixels; imagenet: per channel, as PyTorch's models."""

Labels = str | os.PathLike[str] | Sequence[str]

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.2, 5.0
"""A trained network's lies near 1."""


@dataclasses.dataclass(frozen=True)
class ConvertConfig:
    """A conversion.

    Attributes:
        model: the ``.keras`` file.
        out: the ``.tflite`` file to write; by default `model` with that ending.
        int8: quantize; otherwise write a float32 file.
        data: the data set that the model was trained on, as `fer_edge.train.data.load.load_dataset` takes or returns
            it.
        ferplus: FER+ votes (``fer2013new.csv``) that relabel a ``fer2013.csv``.
        mapping: class -> the class it becomes, or '' to leave its images out.
        qat_epochs: epochs of quantization-aware fine-tuning, by default `QAT_EPOCHS`. With 0 only the ranges are found
            on the calibration sample and the biases corrected, which happens before fine-tuning as well.
        seed: of the calibration sample and of fine-tuning, 0 to `LARGEST_SEED`.
        report: the JSON report to write; by default `out` with ``.report.json`` behind it.
        logit_adjustment: power, 0 to 1, of the classes' shares in Training by which probabilities are divided, see
            `fer_edge.convert.prior`.
        labels: of the outputs of a network that ``fer-edge train`` did not make: names in their order, separated by
            commas, listed, or in a file with a name a line.
        input: ``grey`` or ``rgb``: what such a network is shown; None for what its channels say. One of three channels
            that is shown grey sees it three times.
        scale: what it wants of pixels 0..255: ``0..1``, ``-1..1``, ``0..255`` or ``imagenet``; None if it scales them
            itself.
        micro: folder for the sources of a microcontroller, see `fer_edge.convert.micro.export.export_micro`; None for
            none.
        temperature: number above 0 by which logits are divided before that (Guo et al. 2017, arXiv:1706.04599); below 1
            the file is surer than the model, above 1 less sure.
        faces: what to do with pictures of folders and zips, as in training: one of `fer_edge.train.data.spec.FACES`.
        upright: have a device turn crops upright and frame them by eyes and mouth, where its detector finds these; see
            `fer_edge.preprocess.face_to_input`. Else the file says what the model says.

    Raises:
        ConfigError: a value out of its range, or settings that exclude each other; its ``option`` names the field.
    """

    model: Name
    out: Name | None = None
    int8: bool = True
    data: Name | Dataset | None = None
    ferplus: Name | None = None
    mapping: Mapping[str, str] = dataclasses.field(default_factory=dict)
    qat_epochs: int | None = None
    seed: int = 1
    report: Name | None = None
    logit_adjustment: float = 0.0
    temperature: float = 1.0
    faces: str = AUTO
    upright: bool = False
    labels: Labels | None = None
    input: str | None = None
    scale: str | None = None
    micro: Name | None = None

    def __post_init__(self) -> None:
        for option in ("model", "out", "ferplus", "report", "micro"):
            check_path(option, getattr(self, option))
        if self.model is None:
            raise ConfigError("model", "`model`: expected the .keras file to convert, found none")
        if self.data is None:
            raise ConfigError("data", "`data`: expected the data set that the model was trained on, found none")
        if not isinstance(self.data, (str, os.PathLike)):
            self._check_dataset()
        if not self.int8 and self.qat_epochs is not None:
            raise ConfigError("qat_epochs", "`qat_epochs` belongs to `int8`; a float file is not quantized")
        check_choice("faces", self.faces, FACES)
        if self.qat_epochs is not None:
            check_count("qat_epochs", self.qat_epochs, 0)
        check_count("seed", self.seed, 0, LARGEST_SEED)
        if not 0 <= self.logit_adjustment <= 1:
            raise ConfigError(
                "logit_adjustment", f"`logit_adjustment`: expected a power of 0 to 1, found {self.logit_adjustment}"
            )
        if not MIN_TEMPERATURE <= self.temperature <= MAX_TEMPERATURE:
            raise ConfigError(
                "temperature",
                f"`temperature`: expected {MIN_TEMPERATURE} to {MAX_TEMPERATURE}, found {self.temperature}",
            )
        for option, choices in (("input", COLOURS), ("scale", SCALES)):
            if getattr(self, option) is not None:
                check_choice(option, getattr(self, option), choices)
        if self.micro is not None and not self.int8:
            raise ConfigError("micro", "`micro` is for `int8` files; a microcontroller takes no float file")
        self._check_paths()

    def _check_dataset(self) -> None:
        from fer_edge.train.data.dataset import Dataset  # not for the command's help, as it imports numpy

        if not isinstance(self.data, Dataset):
            raise ConfigError("data", f"`data`: expected a path or a Dataset, found {type(self.data).__name__}")
        for option in ("ferplus", "mapping"):
            if getattr(self, option):
                raise ConfigError(option, f"`{option}` is for `data` that is read, found a data set read already")

    def _check_paths(self) -> None:
        if self.out_path.suffix != SUFFIX:
            raise ConfigError("out", f"`out` '{self.out_path}': expected a name that ends in {SUFFIX}")
        if self.report_path.resolve() in (self.out_path.resolve(), self.model_path.resolve()):
            raise ConfigError("report", f"`report` '{self.report_path}' is the model itself; name another file")

    @property
    def model_path(self) -> Path:
        """The ``.keras`` file."""
        return Path(self.model)

    @property
    def out_path(self) -> Path:
        """The ``.tflite`` file to write."""
        return self.model_path.with_suffix(SUFFIX) if self.out is None else Path(self.out)

    @property
    def report_path(self) -> Path:
        """The JSON report to write."""
        return (
            self.out_path.with_name(f"{self.out_path.name}.report.json") if self.report is None else Path(self.report)
        )

    @property
    def epochs(self) -> int:
        """Epochs of quantization-aware fine-tuning."""
        if not self.int8:
            return 0
        return QAT_EPOCHS if self.qat_epochs is None else self.qat_epochs

    @property
    def quantization(self) -> str:
        """What the model file says about itself."""
        if not self.int8:
            return "float"
        return "int8 qat" if self.epochs else "int8 ptq"
