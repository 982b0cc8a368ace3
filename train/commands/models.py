"""``fer-edge models``."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import click

from fer_edge.model_file import file_hash, read_info
from fer_edge.shipped import DEFAULT, shipped_models

FERPLUS = "FER+"
"""Stands in brackets in the name of a data set that has the labels of FER+."""


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def models(files: tuple[Path, ...], as_json: bool) -> None:
    """List the models that come with the package, and the architectures that can be trained; or describe FILEs.

    A FILE is any network: .tflite, .keras, .h5 or a SavedModel folder. What it lacks for fer-edge is said.

    Accuracies are those of the int8 files on FER2013's PublicTest, as measured when they were converted. One marked
    (FER+) is measured on the labels of FER+, by ten people's votes, and does not compare with the others. What an
    architecture costs is shown where Keras is installed.
    """
    if files:
        _describe(files, as_json)
        return
    shipped, zoo = _shipped(), _zoo()
    if as_json:
        click.echo(json.dumps({"shipped": shipped, "zoo": zoo}))
        return
    click.echo(f"{'shipped':16} {'int8 file':>10} {'multiply-adds':>14} {'parameters':>11} {'classes':>8} {'top-1':>7}")
    for model in shipped:
        accuracy = "" if model["accuracy"] is None else f"{model['accuracy']:.1%}"
        mark = f" ({FERPLUS})" if model["accuracy_labels"] == FERPLUS else ""
        name = f"{model['name']}{' (default)' if model['default'] else ''}"
        click.echo(
            f"{name:16} {model['bytes'] / 1024:7.1f} KB {model['multiply_adds'] / 1e6:12.1f} M "
            f"{model['parameters']:11,} {len(model['labels']):8} {accuracy:>7}{mark}"
        )
    click.echo(f"\n{'architecture':16} {'multiply-adds':>14} {'parameters':>11}  what it is")
    for model in zoo:
        if "parameters" in model:
            cost = f"{model['multiply_adds'] / 1e6:12.1f} M {model['parameters']:11,}"
        else:
            cost = f"{'':14} {'':11}"
        click.echo(f"{model['name']:16} {cost}  {model['summary']}")


def _describe(files: tuple[Path, ...], as_json: bool) -> None:
    from fer_edge.train.evaluate.description import describe_file

    described = [describe_file(file) for file in files]
    if as_json:
        click.echo(json.dumps(described))
        return
    for each in described:
        click.echo(
            "\n".join(f"{key.replace('_', ' '):16} {_said(value)}" for key, value in each.items() if value != [])
        )


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else f"{value:,}" if type(value) is int else str(value)


def _shipped() -> list[dict[str, Any]]:
    found = []
    for name, path in shipped_models().items():
        info = read_info(path)
        measured = dict(info.accuracy.get("PublicTest", {}))
        found.append(
            {
                "name": name,
                "default": name == DEFAULT,
                "labels": list(info.labels),
                "bytes": path.stat().st_size,
                "sha256": file_hash(path),
                "multiply_adds": info.conversion["multiply_adds"],
                "parameters": info.conversion["parameters"],
                "accuracy": measured.get("top1"),
                "accuracy_labels": FERPLUS if f"({FERPLUS})" in info.training["data"]["name"] else "FER2013",
            }
        )
    return sorted(found, key=lambda model: (not model["default"], model["multiply_adds"]))


def _zoo() -> list[dict[str, Any]]:
    from fer_edge.train.zoo.registry import ZOO

    rows: list[dict[str, Any]] = [
        {"name": name, "summary": architecture.summary, "input_size": architecture.input_size}
        for name, architecture in ZOO.items()
    ]
    if importlib.util.find_spec("keras"):
        from fer_edge.labels import EXPRESSIONS
        from fer_edge.train.zoo.cost import multiply_adds

        for row in rows:
            network = ZOO[row["name"]].build(row["input_size"], len(EXPRESSIONS), 0.0)
            row |= {"parameters": network.count_params(), "multiply_adds": multiply_adds(network)}
    return rows
