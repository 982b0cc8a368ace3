"""What models say of each image, as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from fer_edge.files import write_result
from fer_edge.train.data.classes import ordered
from fer_edge.train.evaluate.report import Report

COLUMNS = ("model", "source", "split", "row", "file", "label", "predicted")
"""Before one column ``p_CLASS`` a class: the files of the models, the data set that the image is of, its split, its row
or place there from 0, its file if it has one, its class, and the one that the model says."""

DIGITS = 6


def write_predictions(reports: Sequence[Report], names: Sequence[str], path: Path) -> None:
    """Write a CSV file with a line for each model and image.

    Args:
        reports: of one or more models on a split.
        names: what the models are called.
        path: of the file; one that is there is replaced. A class that a model does not know is empty.

    Raises:
        OutputError: it cannot be written.
    """
    classes = ordered({label for report in reports for label in report.dataset.labels})
    if len(reports) == 1:
        classes = reports[0].dataset.labels
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow([*COLUMNS, *(f"p_{label}" for label in classes)])
    for name, report in zip(names, reports, strict=True):
        dataset, split = report.dataset, report.dataset.split(report.split)
        place = [dataset.labels.index(label) if label in dataset.labels else None for label in classes]
        for i, (scores, called) in enumerate(zip(report.scores, report.called, strict=True)):
            source = dataset.name if split.sources is None else dataset.sources[split.sources[i]]
            row = [name, source, report.split, int(split.rows[i]), dataset.file_of(split, i)]
            row += [dataset.labels[split.labels[i]], dataset.labels[called]]
            writer.writerow([*row, *("" if k is None else round(float(scores[k]), DIGITS) for k in place)])
    write_result(path, stream.getvalue().encode("utf-8", "surrogateescape"))
