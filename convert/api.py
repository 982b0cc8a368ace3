"""``fer_edge.convert``: conversion for programs, without the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fer_edge.convert.pipeline import Settings
    from fer_edge.convert.report import ConversionReport
    from fer_edge.train.data.dataset import Dataset

Name = str | os.PathLike[str]


def convert(
    model: Name, data: Name | Dataset, *, out: Name, report: Name | None = None, settings: Settings | None = None
) -> ConversionReport:
    """Turn a trained model into a verified int8 TFLite file, or leave what was there.

    Args:
        model: the ``.keras`` file.
        data: what ``fer-edge convert --data`` takes, or a data set. Training calibrates, PublicTest only measures.
        out: the ``.tflite`` file to write.
        report: where the JSON report goes; ``OUT.report.json`` by default.
        settings: how to convert; by default int8 with 3 epochs of fine-tuning.

    Returns:
        The report: cost, agreement with the float model, the error of each layer.

    Raises:
        ModelFileError: `model` is no file that ``fer-edge train`` wrote.
        DataError: the data do not fit the model.
        ConversionError: the converter failed, or its result did not pass verification.
        OutputError: a result cannot be written.
        MissingExtraError: TensorFlow is not installed.

    Example:
        >>> import fer_edge
        >>> from fer_edge.convert.pipeline import Settings
        >>> report = fer_edge.convert("run/model.keras", "faces", out="nano.tflite", settings=Settings(qat_epochs=0))
        >>> report.file_bytes > 10_000
        True
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # which exports TFLite
    from fer_edge.convert.pipeline import Settings, convert_model, prepare
    from fer_edge.train.data.load import load_dataset

    target = Path(out)
    written = Path(report) if report else target.with_name(f"{target.name}.report.json")
    job = prepare(Path(model), target, written, settings or Settings())
    return convert_model(job, load_dataset(os.fspath(data)) if isinstance(data, (str, os.PathLike)) else data)
