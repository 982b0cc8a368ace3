"""Conversion from end to end: read, fold, quantize, export, verify, measure, write."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np

from fer_edge.convert.config import ConvertConfig
from fer_edge.convert.export.allow_list import allowed_operators
from fer_edge.convert.export.cost import tflite_cost
from fer_edge.convert.export.flatbuffer import TFLiteGraph, read_tflite
from fer_edge.convert.export.tflite import export_float
from fer_edge.convert.export.verify import verify_int8
from fer_edge.convert.foreign.network import open_foreign, read_network
from fer_edge.convert.foreign.told import is_foreign, name_of, read_labels
from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.graph.graph import Graph
from fer_edge.convert.images import measuring_images, tuning_images
from fer_edge.convert.measure import Yardstick, measure
from fer_edge.convert.micro.export import check_micro, export_micro
from fer_edge.convert.prior import adjust_logits, class_shares
from fer_edge.convert.quantize.quantization import Exported, quantize
from fer_edge.convert.report import ConversionReport, Provenance
from fer_edge.convert.stopwatch import Stopwatch
from fer_edge.errors import ConfigError, ConversionError
from fer_edge.files import check_writable, write_result
from fer_edge.machine import describe_machine
from fer_edge.model_file import ModelInfo
from fer_edge.preprocess import HOG_DEFINITION, hog_length, normalise
from fer_edge.runtime import Classifier
from fer_edge.train.data.classes import in_order
from fer_edge.train.data.dataset import Dataset
from fer_edge.train.data.form import Form
from fer_edge.train.data.load import load_dataset
from fer_edge.train.evaluate.evaluation import check_fits
from fer_edge.train.keras_model import KerasModel, load_model
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.zoo.mobilenet import MOBILENETS

logger = logging.getLogger(__name__)


def run_conversion(config: ConvertConfig) -> ConversionReport:
    """Write the TFLite file and its report, or leave what was there.

    What can be known early, such as a layer without a TFLite form or a full disk, is found out before data are read.

    Raises:
        FerEdgeError: see `fer_edge.convert.api.convert`.
    """
    original, graph, notes = _read(config)
    _check_places(config, graph)
    dataset = _load(config, original.info)
    stopwatch = Stopwatch()
    yardstick = Yardstick(original, *measuring_images(dataset))
    _check_data(config, yardstick, dataset)
    if config.logit_adjustment or config.temperature != 1:
        if not isinstance(original, KerasModel):
            raise ConfigError(
                "logit_adjustment", "`logit_adjustment` and `temperature` are for models that fer-edge train made"
            )
        graph = _adjusted(config, original, dataset)
    exported = _export(config, original, graph, dataset, stopwatch)
    contents = read_tflite(exported.flatbuffer)
    allowed = _verify(original, graph, contents) if config.int8 else frozenset[str]()
    provenance = Provenance(
        quantization=config.quantization,
        qat_epochs=config.epochs,
        calibration=exported.calibration,
        data={"name": dataset.name, "fingerprint": dataset.fingerprint},
        operators=contents.operator_counts(),
        hog=_hog_input(graph, contents),
        logit_adjustment=config.logit_adjustment or None,
        temperature=None if config.temperature == 1 else config.temperature,
        prior=_prior(config, original, dataset) if isinstance(original, KerasModel) else {},
        cost=tflite_cost(contents),
        machine=describe_machine(),
    )
    framing = "eyes" if config.upright else original.info.framing
    conversion = provenance.stored()
    info = dataclasses.replace(
        original.info, conversion=conversion, accuracy={}, framing=framing, input_zero=graph.input_zero
    )
    with stopwatch.stage("evaluation"):
        measured = measure(exported.flatbuffer, exported.untuned, info, yardstick, graph if config.int8 else None)
    report = ConversionReport(
        **vars(provenance),
        model=str(config.model_path),
        out=str(config.out_path),
        sha256=measured.sha256,
        file_bytes=len(measured.data),
        allowed_operators=sorted(allowed),
        comparison=measured.comparison,
        post_training=measured.post_training,
        plain_kernels=measured.plain_kernels,
        layers=measured.layers,
        seconds=stopwatch.seconds(),
        notes=notes,
    )
    write_result(config.out_path, measured.data)
    _write_report(config, report)
    if config.micro:
        images = yardstick.split.images
        found = export_micro(measured.data, config.out_path, Path(config.micro), images, dataset.name)
        report = dataclasses.replace(report, micro=found, seconds=stopwatch.seconds())
        _write_report(config, report)
    return report


def _write_report(config: ConvertConfig, report: ConversionReport) -> None:
    write_result(config.report_path, json.dumps(report.to_dict(), indent=1).encode() + b"\n")


def _read(config: ConvertConfig) -> tuple[Classifier, Graph, tuple[str, ...]]:
    """Return the float model, its graph with batch norms folded, and what was changed of it."""
    if load_keras().backend.backend() != "tensorflow":
        raise ConversionError("TFLite is exported by TensorFlow; run the conversion with KERAS_BACKEND=tensorflow")
    path = config.model_path
    if is_foreign(path):
        if config.labels is None:
            raise ConfigError(
                "labels",
                f"{path}: a network that fer-edge did not train does not say what its outputs are; give `labels`: "
                "names in their order, such as angry,disgust,fear,happy,sad,surprise,neutral, or a file of them",
            )
        opened = open_foreign(path, read_labels(config.labels), config.input, config.scale, name_of(path))
        return opened.model, fold_batch_norms(opened.graph), opened.notes
    for option in ("labels", "input", "scale"):
        if getattr(config, option) is not None:
            raise ConfigError(
                option, f"`{option}` is for networks that fer-edge did not train; {path.name} says it itself"
            )
    original = load_model(path)
    return original, _graph_of(original), ()


def _graph_of(model: KerasModel) -> Graph:
    """Return a trained model's graph with batch norms folded."""
    if model.info.name in MOBILENETS:
        return fold_batch_norms(read_network(model.model))
    return fold_batch_norms(read_keras(model.model))


def _check_places(config: ConvertConfig, graph: Graph) -> None:
    parameters = sum(array.size for node in graph.nodes for array in node.weights.values())
    check_writable(config.out_path, parameters if config.int8 else 4 * parameters)
    check_writable(config.report_path, 0)
    if config.micro:
        check_micro(Path(config.micro))


def _load(config: ConvertConfig, info: ModelInfo) -> Dataset:
    """Return the data set as crops that the model takes, with classes in its order."""
    if isinstance(config.data, Dataset):
        return in_order(config.data, info.labels)
    dataset = load_dataset(
        os.fspath(config.data or ""),
        None if config.ferplus is None else Path(config.ferplus),
        mapping=config.mapping,
        faces=config.faces,
        form=Form(info.input_size, info.channels, "eyes" if config.upright else info.framing),
    )
    return in_order(dataset, info.labels)


def _check_data(config: ConvertConfig, yardstick: Yardstick, dataset: Dataset) -> None:
    """Refuse data that do not fit the model; say so if the model was trained on others."""
    info = yardstick.original.info
    check_fits(yardstick.original, config.model_path, dataset, yardstick.split)
    trained_on = info.training.get("data", {})
    if trained_on.get("fingerprint", dataset.fingerprint) != dataset.fingerprint:
        logger.warning(
            "%s: the model was trained on other data, labels or votes (%s); calibrated and measured on this one",
            *(dataset.name, trained_on["name"]),
        )


def _adjusted(config: ConvertConfig, original: KerasModel, dataset: Dataset) -> Graph:
    """Change temperature and priors of the trained model, with which the file is compared, and return its graph."""
    shares = class_shares(tuning_images(dataset), len(dataset.labels))
    adjust_logits(original.model, shares, config.logit_adjustment, config.temperature)
    return _graph_of(original)


def _prior(config: ConvertConfig, original: KerasModel, dataset: Dataset) -> dict[str, float]:
    """Return how common the file takes each class to be: as in Training, less what was taken back since.

    Nothing where the model was trained on other data than are given, whose shares say nothing of it.
    """
    trained_on = original.info.training.get("data", {})
    if trained_on.get("fingerprint", dataset.fingerprint) != dataset.fingerprint:
        return {}
    weighting = original.info.training.get("recipe", {}).get("class_weighting") or 0.0
    shares = class_shares(tuning_images(dataset), len(dataset.labels)) ** (1 - weighting - config.logit_adjustment)
    return dict(zip(dataset.labels, np.round(shares / shares.sum(), 5).tolist(), strict=True))


def _export(
    config: ConvertConfig, original: Classifier, graph: Graph, dataset: Dataset, stopwatch: Stopwatch
) -> Exported:
    if not config.int8:
        with stopwatch.stage("export"):
            return Exported(export_float(graph))
    training = tuning_images(dataset)
    # The graph sees what the classifier makes of a crop.
    seen = dataclasses.replace(training, images=normalise(training.images, original.info.contrast))
    return quantize(graph, seen, config.epochs, config.seed, stopwatch)


def _verify(original: Classifier, graph: Graph, contents: TFLiteGraph) -> frozenset[str]:
    """Refuse what is no int8 file; return the operators that it may hold."""
    allowed = allowed_operators(original.info.name)
    features = hog_length(graph.input_size) if graph.hog else 0
    verify_int8(
        contents,
        allowed,
        graph.input_size,
        len(original.info.labels),
        features,
        channels=graph.channels,
        input_zero=graph.input_zero,
    )
    return allowed


def _hog_input(graph: Graph, contents: TFLiteGraph) -> dict[str, Any] | None:
    """Return what a device must know of the second input: which features, times what, in which int8 steps."""
    if not graph.hog:
        return None
    tensor = next(t for t in contents.inputs if len(t.shape) == 2)
    steps = {"scale": tensor.scales[0], "zero_point": tensor.zero_points[0]} if tensor.scales else {}
    return {**HOG_DEFINITION, "gain": graph.hog.options["gain"], **steps}
