"""``fer-edge evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fer_edge.commands.types import ModelPath
from fer_edge.train.commands.options import DATA_OPTION, FERPLUS, MAP

if TYPE_CHECKING:
    from fer_edge.metrics import Metrics
    from fer_edge.train.evaluate.evaluation import UnderCondition

MISTAKES = 40


@click.command()
@click.argument("models", nargs=-1, required=True, type=ModelPath(), metavar="MODEL...")
@DATA_OPTION
@FERPLUS
@MAP
@click.option("--split", "split_name", default="PublicTest", show_default=True, help="Which split to measure on.")
@click.option("--robustness", is_flag=True, help="Also under shift, scale, rotation, blur, noise, light, JPEG, cover.")
@click.option("--mirror", is_flag=True, help="Also with each image averaged with its mirror image, reported apart.")
@click.option("--plots", type=click.Path(file_okay=False, path_type=Path), help="Folder for PNG plots.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def evaluate(
    models: tuple[Path, ...],
    data: str,
    ferplus: Path | None,
    mapping: tuple[tuple[str, str], ...],
    split_name: str,
    robustness: bool,
    mirror: bool,
    plots: Path | None,
    as_json: bool,
) -> None:
    """Measure a .keras or .tflite MODEL (a file or a shipped model's name) on a split of --data.

    Both kinds see the same pictures through the same preprocessing as on the device. Several models are
    averaged. --plots draws the confusion matrix and the worst mistakes.
    """
    from fer_edge.machine import describe_machine
    from fer_edge.model_file import file_hash
    from fer_edge.train.data.load import load_dataset
    from fer_edge.train.data.split_names import split_of
    from fer_edge.train.evaluate.evaluation import (
        evaluate_models,
        leak_warnings,
        measure_robustness,
        measure_with_mirror,
        worst_mistakes,
    )
    from fer_edge.train.evaluate.fit import fit_to_model
    from fer_edge.train.evaluate.plots import plot_confusion, plot_sheet

    if plots:
        plots.mkdir(parents=True, exist_ok=True)  # before minutes of measuring
    joined = dict(mapping)
    dataset = load_dataset(data, ferplus, mapping=joined)
    split_name = split_of(split_name, dataset.splits)
    dataset, notes = fit_to_model(dataset, split_name, models, joined)
    evaluation = evaluate_models(models, dataset, split_name, joined)
    extra: dict[str, Any] = {"notes": notes} if notes else {}
    for note in notes:
        click.echo(f"NOTE: {note}", err=True)
    conditions: dict[str, UnderCondition] = {}
    if warnings := leak_warnings(models):
        extra["warnings"] = warnings
    for warning in warnings:
        click.echo(f"WARNING: {warning}", err=True)
    if mirror:
        extra["with_mirror"] = measure_with_mirror(models, dataset.split(split_name), evaluation, joined).top1
    if robustness:
        conditions = measure_robustness(models, dataset.split(split_name), evaluation, joined)
        extra["robustness"] = {name: found.top1 for name, found in conditions.items()}
        extra["robustness_errors"] = {name: found.difference_se for name, found in conditions.items()}
    title = f"{' + '.join(path.name for path in models)} on {split_name}"
    if plots:
        split = dataset.split(split_name)
        plot_confusion(evaluation.metrics, f"{title}: {evaluation.metrics.top1:.1%}", plots / "confusion.png")
        worst = worst_mistakes(evaluation, split, MISTAKES)
        called = evaluation.scores[worst].argmax(axis=1)
        captions = [
            f"{dataset.labels[split.labels[i]]} → {dataset.labels[k]} {evaluation.scores[i, k]:.0%}"
            for i, k in zip(worst, called, strict=True)
        ]
        plot_sheet(
            split.images[worst],
            captions,
            f"{title}: most confident mistakes (true → predicted)",
            plots / "mistakes.png",
        )
    if as_json:
        result = {
            "models": [{"file": path.name, "sha256": file_hash(path), "bytes": path.stat().st_size} for path in models],
            "data": {"name": dataset.name, "fingerprint": dataset.fingerprint, "split": split_name},
            "machine": describe_machine(),
            **evaluation.metrics.to_dict(),
            **extra,
        }
        click.echo(json.dumps(result))
    else:
        click.echo(_table(evaluation.metrics, title))
        if mirror:
            click.echo(f"\naveraged with the mirror image: top-1 {extra['with_mirror']:.2%}")
        for name, found in conditions.items():
            change = f"{100 * found.difference:+.1f} ± {100 * found.difference_se:.1f} points"
            click.echo(f"{name:14} top-1 {found.top1:.2%}  {change}")


def _table(metrics: Metrics, title: str) -> str:
    lines = [
        f"{title}: {metrics.images} images",
        f"top-1 {metrics.top1:.2%} ± {metrics.accuracy_se:.2%}   top-2 {metrics.top2:.2%}   top-3 {metrics.top3:.2%}",
        f"balanced accuracy {metrics.balanced_accuracy:.2%}   macro F1 {metrics.macro_f1:.2%}   "
        f"calibration error {metrics.calibration_error:.2%}",
        "",
        f"{'class':12} precision          recall      F1  support",
    ]
    lines += [
        f"{c.label:12} {c.precision:9.1%} {c.recall:7.1%} ± {c.recall_se:5.1%} {c.f1:7.1%} {c.support:8}"
        for c in metrics.classes
    ]
    return "\n".join(lines)
