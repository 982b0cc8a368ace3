"""The report of a conversion: a JSON file beside the model, and a table to read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from fer_edge.convert.compare import Comparison, KernelComparison
from fer_edge.convert.export.cost import Cost
from fer_edge.convert.micro.report import MicroReport
from fer_edge.convert.quantize.layer_errors import LayerError
from fer_edge.lazy import require


@dataclasses.dataclass(frozen=True, kw_only=True)
class Provenance:
    """How a file came to be, which it says itself wherever it goes.

    Attributes:
        quantization: ``int8 qat``, ``int8 ptq`` or ``float``.
        qat_epochs: epochs of fine-tuning.
        calibration: split, number of images and seed of the calibration sample; empty for ``float``.
        data: name and fingerprint of the data set that it was calibrated and compared on.
        operators: TFLite operator -> how often it occurs.
        hog: the input of HOG features: which, times what, in which int8 steps; None for a model without.
        logit_adjustment: power of the classes' shares in Training that probabilities were divided by; None for 0.
        temperature: number that logits were divided by before that; None for 1.
        prior: label -> how common the file takes it to be, shares that sum to 1; ``--prior`` changes them later.
        cost: multiply-adds and parameters.
        machine: what it was made and measured on, as `fer_edge.machine.describe_machine` gives it.
    """

    quantization: str
    qat_epochs: int
    calibration: Mapping[str, Any]
    data: Mapping[str, str]
    operators: Mapping[str, int]
    hog: Mapping[str, Any] | None
    logit_adjustment: float | None
    temperature: float | None
    prior: Mapping[str, float]
    cost: Cost
    machine: Mapping[str, Any]

    def stored(self) -> dict[str, Any]:
        """Return what the file says of it: its `ModelInfo.conversion`. Of the machine that is the versions."""
        plain = (
            "quantization",
            "qat_epochs",
            "calibration",
            "data",
            "operators",
            "hog",
            "logit_adjustment",
            "temperature",
            "prior",
        )
        known = {name: value for name in plain if (value := getattr(self, name)) is not None}
        return {**known, **dataclasses.asdict(self.cost), "versions": self.machine["versions"]}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConversionReport(Provenance):
    """All that is known about a converted file: how it came to be, and what was measured.

    Attributes:
        model: the ``.keras`` file.
        out: the ``.tflite`` file.
        sha256: of `out`.
        file_bytes: size of `out`, metadata included.
        allowed_operators: those that the allow-list has for the model's architecture; empty for ``float``.
        comparison: against the float model.
        post_training: what the comparison would be without the fine-tuning; None where there was none.
        plain_kernels: what the file says under XNNPACK and under the runtime's plain kernels; None for ``float``.
        layers: what quantization did to each layer's value, in the order of evaluation; empty where the file's
            operators are not one to one with the network's layers, and for ``float``.
        seconds: wall time by stage, with their ``total``.
        notes: sentences about what was changed of a network that ``fer-edge train`` did not make.
        micro: see `fer_edge.convert.micro.report.MicroReport`; None without ``--micro``.
    """

    model: str
    out: str
    sha256: str
    file_bytes: int
    allowed_operators: Sequence[str]
    comparison: Comparison
    post_training: Comparison | None
    plain_kernels: KernelComparison | None
    layers: Sequence[LayerError]
    seconds: Mapping[str, float]
    notes: Sequence[str] = ()
    micro: MicroReport | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return dataclasses.asdict(self)


def _points(compared: Comparison) -> str:
    low, high = compared.difference_interval
    return f"{100 * compared.difference:+.2f} ({100 * low:+.2f} to {100 * high:+.2f}) points"


def table_rows(report: ConversionReport) -> list[tuple[str, str]]:
    """Return what the table says, line by line: a name and its value."""
    compared = report.comparison
    operators = ", ".join(name if count == 1 else f"{count} {name}" for name, count in report.operators.items())
    tuned = f", {report.qat_epochs} epoch{'s' * (report.qat_epochs > 1)} of fine-tuning" if report.qat_epochs else ""
    calibration = []
    if report.calibration:
        calibration = [("calibration", "{images} images of {split}, seed {seed}".format(**report.calibration))]
    noisiest = []
    if report.layers:
        worst = min(report.layers, key=lambda layer: layer.signal_to_noise)
        above = f"{worst.signal_to_noise:.1f} dB above its error"
        noisiest = [("noisiest layer", f"{worst.node} ({worst.operator}), {above}")]
    without = []
    if report.post_training:
        before = report.post_training
        points = _points(before)
        without = [("without fine-tuning", f"{before.top1:.2%}, {points}, same class {before.agreement:.2%}")]
    kernels = []
    if report.plain_kernels:
        plain = report.plain_kernels
        lead = f"the others within {plain.largest_margin:.4f} of a tie" if plain.agreement < 1 else "no other"
        kernels = [("same class, plain kernels", f"{plain.agreement:.2%}, {lead}")]
    hog = []
    if report.hog:
        hog = [
            ("second input", "HOG features, " + ", ".join(f"{key} {value:.6g}" for key, value in report.hog.items()))
        ]
    return [
        ("model", report.model),
        ("file", report.out),
        ("size", f"{report.file_bytes / 1024:.1f} KB"),
        ("quantization", report.quantization + tuned),
        *(("note", note) for note in report.notes),
        *calibration,
        ("operators", operators),
        *hog,
        ("multiply-adds", f"{report.cost.multiply_adds:,}"),
        ("parameters", f"{report.cost.parameters:,}"),
        ("measured on", f"{compared.images} images of {compared.split} of {report.data['name']}"),
        ("accuracy, float model", f"{compared.float_top1:.2%}"),
        ("accuracy, this file", f"{compared.top1:.2%}"),
        ("difference", f"{_points(compared)} (paired, interval of 95 %)"),
        ("same class", f"{compared.agreement:.2%}"),
        *without,
        *kernels,
        ("largest difference", f"{compared.largest_difference:.4f} of a probability"),
        *noisiest,
        ("mean difference", f"{compared.mean_difference:.5f} of a probability"),
        *(report.micro.rows() if report.micro else []),
        ("time", ", ".join(f"{stage} {seconds:.0f} s" for stage, seconds in report.seconds.items())),
    ]


def print_report(report: ConversionReport) -> None:
    """Print the table on standard output."""
    require("rich", "train")
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in table_rows(report):
        table.add_row(name, value)
    Console(highlight=False, markup=False).print(table)
