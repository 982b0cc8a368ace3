"""``fer-edge evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fer_edge.shipped import ModelPath
from fer_edge.train.commands.options import DATA_OPTION

if TYPE_CHECKING:
    from fer_edge.metrics import Metrics

MISTAKES = 40


@click.command()
@click.argument("models", nargs=-1, required=True, type=ModelPath(), metavar="MODEL...")
@DATA_OPTION
@click.option("--split", "split_name", default="PublicTest", show_default=True, help="Which split to measure on.")
@click.option("--plots", type=click.Path(file_okay=False, path_type=Path), help="Folder for PNG plots.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def evaluate(models: tuple[Path, ...], data: str, split_name: str, plots: Path | None, as_json: bool) -> None:
    """Measure a .keras or .tflite MODEL (a file or a shipped model's name) on a split of --data.

    Both kinds see the same pictures through the same preprocessing as on the device. Several models are
    averaged. --plots draws the confusion matrix and the worst mistakes.
    """
    from fer_edge.machine import describe_machine
    from fer_edge.model_file import file_hash
    from fer_edge.train.data.load import load_dataset
    from fer_edge.train.evaluation import evaluate_models, worst_mistakes
    from fer_edge.train.plots import plot_confusion, plot_sheet

    dataset = load_dataset(data)
    evaluation = evaluate_models(models, dataset, split_name)
    title = f"{' + '.join(path.name for path in models)} on {split_name}"
    if plots:
        plots.mkdir(parents=True, exist_ok=True)
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
        }
        click.echo(json.dumps(result))
    else:
        click.echo(_table(evaluation.metrics, title))


def _table(metrics: Metrics, title: str) -> str:
    lines = [
        f"{title}: {metrics.images} images",
        f"top-1 {metrics.top1:.2%} ± {metrics.accuracy_se:.2%}   top-2 {metrics.top2:.2%}   top-3 {metrics.top3:.2%}",
        f"balanced accuracy {metrics.balanced_accuracy:.2%}   macro F1 {metrics.macro_f1:.2%}   "
        f"calibration error {metrics.calibration_error:.2%}",
        "",
        f"{'class':12} precision  recall      F1  support",
    ]
    lines += [f"{c.label:12} {c.precision:9.1%} {c.recall:7.1%} {c.f1:7.1%} {c.support:8}" for c in metrics.classes]
    return "\n".join(lines)
