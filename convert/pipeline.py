"""Conversion from end to end: read, fold, quantize, export, verify, compare, write."""

from __future__ import annotations

import dataclasses
import json
import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.convert.compare import Comparison, compare_scores
from fer_edge.convert.export.allow_list import allowed_operators
from fer_edge.convert.export.cost import tflite_cost
from fer_edge.convert.export.flatbuffer import TFLiteGraph, read_tflite
from fer_edge.convert.export.tflite import export_float, export_int8
from fer_edge.convert.export.verify import verify_int8
from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.graph.graph import Graph
from fer_edge.convert.output import check_writable, write_result
from fer_edge.convert.quantize.bias_correction import correct_biases
from fer_edge.convert.quantize.calibration import calibrate, calibration_sample
from fer_edge.convert.quantize.layer_errors import LayerError, layer_errors
from fer_edge.convert.quantize.qat import fine_tune, fine_tuning_recipe, steps_per_epoch
from fer_edge.convert.report import ConversionReport
from fer_edge.errors import ConversionError, DataError
from fer_edge.hog import DEFINITION, hog_length
from fer_edge.machine import describe_machine
from fer_edge.model_file import file_hash, write_info
from fer_edge.preprocess import normalise
from fer_edge.runtime import Classifier, TFLiteModel
from fer_edge.train.data.dataset import PUBLIC_TEST, TRAINING, Dataset, Split
from fer_edge.train.data.duplicates import hold_out, training_without_leaks
from fer_edge.train.evaluate.evaluation import check_fits
from fer_edge.train.keras_model import KerasModel, load_model
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.progress import progress_bar

logger = logging.getLogger(__name__)
HELD_OUT = "the held-out tenth of Training"
EVALUATION_BATCH = 512
LAYER_SAMPLE = 200  # images on which each layer is compared with the float network


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to convert.

    Attributes:
        int8: quantize; otherwise write a float32 file.
        qat_epochs: epochs of quantization-aware fine-tuning; 0 only finds the ranges on the calibration sample and
            corrects the biases, which happens before fine-tuning as well. Not used for a float file.
        seed: of the calibration sample and of fine-tuning.
    """

    int8: bool = True
    qat_epochs: int = 3
    seed: int = 1

    @property
    def quantization(self) -> str:
        """What the model file says about itself."""
        if not self.int8:
            return "float"
        return "int8 qat" if self.qat_epochs else "int8 ptq"


@dataclasses.dataclass(frozen=True)
class Conversion:
    """A conversion that can begin: the model has been read, and its results can be written.

    Attributes:
        model_path: the ``.keras`` file.
        original: the trained model.
        graph: the same, folded.
        out: where the ``.tflite`` file goes.
        report_path: where the JSON report goes.
        settings: how to convert.
    """

    model_path: Path
    original: KerasModel
    graph: Graph
    out: Path
    report_path: Path
    settings: Settings


def prepare(model_path: Path, out: Path, report_path: Path, settings: Settings) -> Conversion:
    """Find out what can be known before a data set is read.

    Raises:
        ModelFileError: `model_path` is not a file written by ``fer-edge train``.
        ConversionError: it holds a layer that has no TFLite form here.
        OutputError: a result cannot be written.
    """
    if load_keras().backend.backend() != "tensorflow":
        raise ConversionError("TFLite is exported by TensorFlow; run the conversion with KERAS_BACKEND=tensorflow")
    original = load_model(model_path)
    graph = fold_batch_norms(read_keras(original.model))
    parameters = sum(array.size for node in graph.nodes for array in node.weights.values())
    check_writable(out, parameters if settings.int8 else 4 * parameters)
    check_writable(report_path, 0)
    return Conversion(model_path, original, graph, out, report_path, settings)


def convert_model(job: Conversion, dataset: Dataset) -> ConversionReport:
    """Write the TFLite file and its report, or leave what was there.

    Calibration and fine-tuning use the Training split without the images that occur in other splits; the
    result is measured, and nothing is chosen, on PublicTest. A data set without PublicTest has a tenth of
    Training held out instead.

    Raises:
        DataError: the data set does not fit the model, or lacks the images that are needed.
        ConversionError: the converter failed, or its result did not pass verification.
        OutputError: a result cannot be written.
    """
    stopwatch = _Stopwatch()
    split_name, evaluated = _evaluation_split(dataset)
    check_fits(job.original, job.model_path, dataset, evaluated)
    trained_on = job.original.info.training.get("data", {})
    if trained_on.get("fingerprint", dataset.fingerprint) != dataset.fingerprint:
        logger.warning(
            "%s: the model was trained on other data, labels or votes (%s); calibrated and measured on this one",
            *(dataset.name, trained_on["name"]),
        )
    flatbuffer, calibration, untuned = _export(job, dataset, stopwatch)
    contents = read_tflite(flatbuffer)
    allowed: frozenset[str] = frozenset()
    if job.settings.int8:
        allowed = allowed_operators(job.original.info.name)
        size, features = job.graph.input_size, hog_length(job.graph.input_size) if job.graph.hog else 0
        verify_int8(contents, allowed, size, len(dataset.labels), features)

    machine, cost = describe_machine(), tflite_cost(contents)
    conversion: dict[str, Any] = {
        "quantization": job.settings.quantization,
        "qat_epochs": job.settings.qat_epochs if job.settings.int8 else 0,
        "calibration": calibration,
        "data": {"name": dataset.name, "fingerprint": dataset.fingerprint},
        "operators": contents.operator_counts(),
        "hog": _hog_input(job.graph, contents),
    }
    stored = {key: value for key, value in conversion.items() if value is not None}
    file_conversion = {**stored, **dataclasses.asdict(cost), "versions": machine["versions"]}
    info = dataclasses.replace(job.original.info, conversion=file_conversion, accuracy={})
    with tempfile.TemporaryDirectory(prefix="fer-edge-") as folder, stopwatch.stage("evaluation"):
        finished = Path(folder) / "the converted model.tflite"
        finished.write_bytes(flatbuffer)
        write_info(finished, info)
        expected = _scores(job.original, evaluated, "the float model")

        def compared(path: Path) -> Comparison:
            found = _scores(TFLiteModel(path, allow_float=True), evaluated, path.stem)
            return compare_scores(split_name, expected, found, evaluated.labels)

        comparison, post_training = compared(finished), None
        if untuned:
            before = Path(folder) / "not fine-tuned.tflite"
            before.write_bytes(untuned)
            write_info(before, info)
            post_training = compared(before)
        layers = _layers(job, finished, evaluated)
        write_info(finished, dataclasses.replace(info, accuracy=_accuracy(comparison)))
        data, digest = finished.read_bytes(), file_hash(finished)
    report = ConversionReport(
        model=str(job.model_path),
        out=str(job.out),
        sha256=digest,
        file_bytes=len(data),
        cost=cost,
        comparison=comparison,
        post_training=post_training,
        layers=layers,
        allowed_operators=sorted(allowed),
        seconds=stopwatch.finish(),
        machine=machine,
        **conversion,
    )
    write_result(job.out, data)
    write_result(job.report_path, json.dumps(report.to_dict(), indent=1).encode() + b"\n")
    return report


class _Stopwatch:
    def __init__(self) -> None:
        self.started, self.stages = time.perf_counter(), dict[str, float]()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.stages[name] = round(time.perf_counter() - started, 2)

    def finish(self) -> dict[str, float]:
        return {**self.stages, "total": round(time.perf_counter() - self.started, 2)}


def _export(job: Conversion, dataset: Dataset, stopwatch: _Stopwatch) -> tuple[bytes, dict[str, Any], bytes | None]:
    """Return the flatbuffer, its calibration, and what it would be without fine-tuning, if there was any."""
    graph, settings = job.graph, job.settings
    if not settings.int8:
        with stopwatch.stage("export"):
            return export_float(graph), {}, None
    training = _training_split(dataset)
    # The graph sees what the classifier makes of a crop.
    training = dataclasses.replace(training, images=normalise(training.images, job.original.info.contrast))
    sample = calibration_sample(training, settings.seed)
    calibration = {"split": TRAINING, "images": len(sample), "seed": settings.seed}
    with stopwatch.stage("calibration"), progress_bar("calibrating", 2 * len(sample)) as advance:
        ranges = calibrate(graph, sample.images, advance)
        rounded = correct_biases(graph, ranges, sample.images)
    untuned = None
    if settings.qat_epochs:
        with stopwatch.stage("export without fine-tuning"):
            untuned = export_int8(rounded, ranges)
        recipe = fine_tuning_recipe(settings.qat_epochs, settings.seed)
        steps = recipe.epochs * steps_per_epoch(len(training), recipe)
        with stopwatch.stage("fine-tuning"), progress_bar("fine-tuning", steps) as advance:
            rounded = fine_tune(graph, rounded, ranges, training.images, recipe, advance)
    with stopwatch.stage("export"):
        return export_int8(rounded, ranges), calibration, untuned


def _layers(job: Conversion, path: Path, split: Split) -> list[LayerError]:
    """Measure each layer's error on some of the images that nothing was chosen on."""
    if not job.settings.int8:
        return []
    some = split.images[np.linspace(0, len(split) - 1, min(len(split), LAYER_SAMPLE)).astype(np.int64)]
    return layer_errors(path, job.graph, normalise(some, job.original.info.contrast))


def _hog_input(graph: Graph, contents: TFLiteGraph) -> dict[str, Any] | None:
    """Return what a device must know of the second input: which features, times what, in which int8 steps."""
    if not graph.hog:
        return None
    tensor = next(t for t in contents.inputs if len(t.shape) == 2)
    steps = {"scale": tensor.scales[0], "zero_point": tensor.zero_points[0]} if tensor.scales else {}
    return {**DEFINITION, "gain": graph.hog.options["gain"], **steps}


def _evaluation_split(dataset: Dataset) -> tuple[str, Split]:
    if PUBLIC_TEST in dataset.splits:
        name, split = PUBLIC_TEST, dataset.split(PUBLIC_TEST)
    else:
        name, split = HELD_OUT, hold_out(training_without_leaks(dataset))[1]
    if not len(split):
        raise DataError(f"{dataset.name}: expected images in {name} to measure the result on, found none")
    return name, split


def _training_split(dataset: Dataset) -> Split:
    training = training_without_leaks(dataset)
    if PUBLIC_TEST not in dataset.splits:
        training = hold_out(training)[0]
    if not len(training):
        raise DataError(f"{dataset.name}: expected images in {TRAINING} to calibrate with, found none")
    return training


def _scores(classifier: Classifier, split: Split, name: str) -> NDArray[np.float32]:
    parts = []
    with progress_bar(f"evaluating {name}", len(split)) as advance:
        for start in range(0, len(split), EVALUATION_BATCH):
            parts.append(classifier.predict(split.images[start : start + EVALUATION_BATCH]))
            advance(len(parts[-1]))
    return np.concatenate(parts)


def _accuracy(comparison: Comparison) -> dict[str, Any]:
    return {
        comparison.split: {
            "top1": round(comparison.top1, 6),
            "float_top1": round(comparison.float_top1, 6),
            "agreement": round(comparison.agreement, 6),
            "images": comparison.images,
        }
    }
