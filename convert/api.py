"""``fer_edge.convert``: conversion for programs, without the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from fer_edge.convert.config import ConvertConfig, Labels, Name
from fer_edge.lazy import require
from fer_edge.quiet import native_stderr_held

if TYPE_CHECKING:
    from fer_edge.convert.report import ConversionReport
    from fer_edge.train.data.dataset import Dataset


def convert(
    model: Name,
    out: Name | None = None,
    *,
    int8: bool = True,
    data: Name | Dataset | None = None,
    ferplus: Name | None = None,
    mapping: Mapping[str, str] | None = None,
    qat_epochs: int | None = None,
    seed: int = 1,
    report: Name | None = None,
    logit_adjustment: float = 0.0,
    temperature: float = 1.0,
    faces: str = "auto",
    upright: bool = False,
    labels: Labels | None = None,
    input: str | None = None,
    scale: str | None = None,
    micro: Name | None = None,
) -> ConversionReport:
    """Turn a trained ``.keras`` model into a verified TFLite file, or leave what was there.

    The images of Training calibrate and fine-tune; those of PublicTest only measure what the conversion changed, and
    nothing is chosen on them. A data set without PublicTest has a tenth of Training held out instead.

    Args:
        model: a file that ``fer-edge train`` wrote, or another network: a ``.keras`` or ``.h5`` file, or a SavedModel
            folder.
        out: the ``.tflite`` file to write; by default `model` with that ending.
        int8: write an int8 file for a device; otherwise a float32 file to compare with.
        data: the data set that the model was trained on: a ``fer2013.csv``, a folder or zip of images, ``demo``,
            several joined with ``+``, or a `Dataset`.
        ferplus: FER+ votes (``fer2013new.csv``) that relabel the ``fer2013.csv``.
        mapping: class -> the class it becomes, or '' to leave its images out.
        qat_epochs: epochs of quantization-aware fine-tuning, by default 3 for an int8 file; 0 quantizes after training.
        seed: of calibration and fine-tuning; the same one gives the same file on the same machine.
        report: the JSON report to write; by default `out` with ``.report.json`` behind it.
        logit_adjustment: power, 0 to 1, of the classes' shares in Training by which probabilities are divided; 1 takes
            all classes to be equally common.
        temperature: number by which logits are divided before that; below 1 the file is surer than the model.
        faces: what to do with the pictures of folders and zips, ``auto``, ``crop`` or ``as-is``; as in training.
        upright: have a device turn crops upright and frame them by eyes and mouth, where its detector finds these.
        labels: of the outputs of another network, in their order: a list, names separated by commas, or a file with a
            name a line.
        input: ``grey`` or ``rgb``: what another network is shown, by default what its channels say.
        scale: what another network wants of its pixels, ``0..1``, ``-1..1``, ``0..255`` or ``imagenet``; None for one
            that begins with a ``Rescaling`` or ``Normalization`` layer.
        micro: folder to write the sources for a microcontroller into as well.

    Returns:
        The report: accuracies and agreements are shares in 0..1 of the images that measured, times seconds.

    Raises:
        ConfigError: a value out of its range, or settings that exclude each other.
        ModelFileError: `model` is no such file.
        DataError: the data set cannot be read, does not fit the model, or lacks the images that are needed.
        ConversionError: a layer has no int8 form, the converter failed, or its result did not pass verification.
        OutputError: a result cannot be written.
        MissingExtraError: TensorFlow is not installed.

    Example:
        >>> import fer_edge
        >>> report = fer_edge.convert("run/model.keras", "nano.tflite", data="faces", qat_epochs=0)
        >>> report.file_bytes > 10_000
        True
    """
    config = ConvertConfig(
        *(model, out, int8, data, ferplus, mapping or {}, qat_epochs, seed, report, logit_adjustment, temperature),
        faces=faces,
        upright=upright,
        labels=labels,
        input=input,
        scale=scale,
        micro=micro,
    )
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the model was trained on, TensorFlow exports TFLite
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with native_stderr_held():
        require("tensorflow", "train")
    from fer_edge.convert.pipeline import run_conversion

    return run_conversion(config)
