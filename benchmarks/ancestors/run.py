#!/usr/bin/env python3
"""Put the published systems' claims to the test: train each under its own protocol and under an honest one.

    benchmarks/ancestors/run.py fer2013.csv ckplus48.zip [RUNS] [--only NAME]... [--protocol theirs|honest]

Every row of rows.py is trained, converted to int8, measured and timed, and leaves a file for each protocol in
benchmarks/results/ancestors, from which table.py writes docs/ancestors.md. Killed, it goes on where it stopped when it
is called again: what has a result is done, a run finished or begun in RUNS (default: runs/ancestors) is used. Rows that
need a GPU or a data set that is not given are left out unless they are named.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rows import DATA, HONEST, PROTOCOLS, ROWS, Row, find

from fer_edge.device.bench.model import measure_model
from fer_edge.errors import FerEdgeError
from fer_edge.files import write_atomically
from fer_edge.machine import describe_machine
from fer_edge.train.data.balance import leaky_resample, measure_leak, pool
from fer_edge.train.data.dataset import PUBLIC_TEST, Dataset
from fer_edge.train.data.load import load_dataset
from fer_edge.train.evaluate.evaluation import Evaluation, evaluate_models

RESULTS = Path(__file__).resolve().parents[1] / "results" / "ancestors"
TIMED_SECONDS = 3.0
SEED = 1

Leaked = tuple[NDArray[np.bool_], NDArray[np.bool_]]


@dataclasses.dataclass(frozen=True)
class Setting:
    """Where everything is and how it is trained.

    Attributes:
        data: data set -> its path, as in `DATA`.
        runs: folder of the runs.
        epochs: in place of each row's own; 0 for these.
        precision: what training computes in.
        qat_epochs: of fine-tuning in conversion.
    """

    data: dict[str, str]
    runs: str
    epochs: int = 0
    precision: str = "bfloat16"
    qat_epochs: int = 0

    def spec(self, row: Row) -> list[str]:
        """Return what stands for a row's data on a command line."""
        joined = "+".join(self.data[name] for name in ("fer2013", row.other) if name)
        return [joined, *(("--map", "contempt=") if row.other else ())]

    def folder(self, name: str, protocol: str) -> str:
        """Return the folder of a run."""
        return f"{self.runs}/{name}-{protocol}"

    def train_command(self, row: Row, protocol: str) -> list[str]:
        """Return the words of the command that trains."""
        options = (*row.options, *row.protocol_options(protocol), "--epochs", str(self.epochs or row.epochs))
        folder = self.folder(row.name, protocol)
        return ["train", *self.spec(row), *options, "--precision", self.precision, "--out", folder]

    def convert_command(self, row: Row, protocol: str) -> list[str]:
        """Return the words of the command that converts."""
        folder, data = self.folder(row.name, protocol), self.spec(row)
        options = ["--int8", "--qat-epochs", str(self.qat_epochs), "--data", *data, "--out", f"{folder}/int8.tflite"]
        return ["convert", f"{folder}/model.keras", *options]


def fer_edge(arguments: Sequence[str]) -> None:
    """Run a command; ends the program if it fails, which has said why."""
    done = subprocess.run([sys.executable, "-m", "fer_edge", *arguments], check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


def train(row: Row, protocol: str, setting: Setting) -> None:
    """Train a row's model, or go on with it, unless it is there."""
    folder = Path(setting.folder(row.name, protocol))
    if (folder / "run.json").exists() and "finished" in json.loads((folder / "run.json").read_text()):
        return
    resume = ["--resume"] if (folder / "checkpoint.npz").exists() else []
    fer_edge([*setting.train_command(row, protocol), *resume])


def tested_on(row: Row, protocol: str, setting: Setting) -> tuple[Dataset, Leaked | None]:
    """Return the data set whose PublicTest a protocol measures on, and which of its images it shares with Training."""
    spec, *mapping = setting.spec(row)
    plain = load_dataset(spec, mapping={"contempt": ""} if mapping else None)
    if protocol == HONEST or not row.resample:
        return plain, None
    leaky = leaky_resample(plain, row.resample, SEED, drop_duplicates=True)
    return leaky, measure_leak(leaky, pool(plain))


def leak_figures(shared: Leaked, right: NDArray[np.bool_]) -> dict[str, float | None]:
    """Return the shares of a test split that Training holds, and how many of these and of the others were right."""
    identical, derived = shared
    values = {"identical": identical.mean(), "derived": derived.mean()}
    for name, part in (("top1_derived", derived), ("top1_others", ~derived)):
        values[name] = right[part].mean() if part.any() else None
    return {name: None if value is None else round(float(value), 4) for name, value in values.items()}


def figures(evaluation: Evaluation) -> dict[str, float]:
    """Return what is kept of an evaluation."""
    metrics = evaluation.metrics
    values = {
        "top1": metrics.top1,
        "top1_se": metrics.accuracy_se,
        "macro_f1": metrics.macro_f1,
        "balanced_accuracy": metrics.balanced_accuracy,
    }
    return {name: round(value, 6) for name, value in values.items()}


def measure(row: Row, protocol: str, setting: Setting) -> dict[str, Any]:
    """Measure a row's model, or its members' mean, as it was trained and as int8."""
    members = [find(name) for name in row.members] or [row]
    folders = [Path(setting.folder(member.name, protocol)) for member in members]
    missing = [str(folder) for folder in folders if not (folder / "int8.tflite").exists()]
    if missing:
        raise SystemExit(f"{row.name}: expected the models of its members, found none in {', '.join(missing)}")
    # All members see the test split of the first; under the leaky protocol the others have trained on most of it.
    dataset, shared = tested_on(members[0], protocol, setting)
    evaluations = [
        evaluate_models([folder / name for folder in folders], dataset, PUBLIC_TEST)
        for name in ("model.keras", "int8.tflite")
    ]
    classes = [evaluation.scores.argmax(axis=1) for evaluation in evaluations]
    leak = {}
    if shared is not None:
        leak = {"leak": leak_figures(shared, classes[0] == dataset.split(PUBLIC_TEST).labels)}
    timed = [measure_model(folder / "int8.tflite", 1, runs=100, seconds=TIMED_SECONDS) for folder in folders]
    return {
        "split": f"{PUBLIC_TEST} of {dataset.name}",
        "images": evaluations[0].metrics.images,
        **leak,
        "float": figures(evaluations[0]),
        "int8": {
            **figures(evaluations[1]),
            "agreement": round(float((classes[0] == classes[1]).mean()), 6),
            "bytes": sum((folder / "int8.tflite").stat().st_size for folder in folders),
            "us": round(sum(t.wall_us.p50 for t in timed), 1),
            "cpu_us": round(sum(t.cpu_us for t in timed), 1),
            "load_average": os.getloadavg()[0],
        },
    }


def training_facts(row: Row, protocol: str, setting: Setting) -> dict[str, Any]:
    """Return how a row's model was trained."""
    folder = Path(setting.folder(row.name, protocol))
    card = json.loads((folder / "run.json").read_text())
    with (folder / "history.csv").open() as stream:
        seconds = sum(float(epoch["seconds"]) for epoch in csv.DictReader(stream))
    accelerators = card["machine"].get("accelerators")
    return {
        **({"accelerators": accelerators} if accelerators else {}),
        "epochs": card["recipe"]["epochs"],
        "trained_epochs": card["finished"]["epochs"],
        "kept_epoch": card["finished"]["kept_epoch"],
        "precision": card["recipe"]["precision"],
        "training_images": card["data"]["images"]["trained"],
        "held_out_images": card["data"]["images"]["held_out"],
        "train_seconds": round(seconds),
        "qat_epochs": setting.qat_epochs,
    }


def make(row: Row, protocol: str, setting: Setting, results: Path) -> Path:
    """Train, convert and measure one row under one protocol; return its result file."""
    result = results / f"{row.name}-{protocol}.json"
    if result.exists():
        return result
    started = time.perf_counter()
    # What is written down names files as everybody has them, not as they lie here.
    public = dataclasses.replace(setting, data=DATA, runs="runs/ancestors")
    document: dict[str, Any] = {"row": row.name, "protocol": protocol}
    if row.members:
        document |= {"members": list(row.members)}
    else:
        train(row, protocol, setting)
        fer_edge(setting.convert_command(row, protocol))
        commands = (public.train_command(row, protocol), public.convert_command(row, protocol))
        document |= {"commands": [" ".join(["fer-edge", *words]) for words in commands]}
        document |= training_facts(row, protocol, setting)
    document |= measure(row, protocol, setting)
    document |= {"wall_seconds": round(time.perf_counter() - started), "machine": describe_machine()}
    results.mkdir(parents=True, exist_ok=True)
    write_atomically(result, json.dumps(document, indent=1).encode() + b"\n")
    return result


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("fer2013", metavar="fer2013.csv")
    parser.add_argument("ckplus48", metavar="ckplus48.zip")
    parser.add_argument("runs", metavar="RUNS", nargs="?", default="runs/ancestors")
    parser.add_argument("--affectnet", metavar="FOLDER", help="for the row 'vgg-auxiliary'")
    parser.add_argument("--only", action="append", choices=[row.name for row in ROWS], help="may be repeated")
    parser.add_argument("--protocol", choices=PROTOCOLS, help="one of the two")
    parser.add_argument("--epochs", type=int, default=0, help="in place of each row's own")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="bfloat16")
    parser.add_argument("--qat-epochs", type=int, default=0, help="of fine-tuning in conversion")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER")
    return parser.parse_args(words)


def main() -> None:
    """Make what is asked for."""
    asked = arguments()
    data = {name: getattr(asked, name) for name in DATA}
    setting = Setting(data, asked.runs, asked.epochs, asked.precision, asked.qat_epochs)
    rows = [find(name) for name in asked.only] if asked.only else [row for row in ROWS if not row.missing]
    for row in rows:
        if row.other and not data[row.other]:
            raise SystemExit(f"{row.name}: expected --{row.other}, the data set it is joined with")
        for protocol in (asked.protocol,) if asked.protocol else PROTOCOLS:
            print(make(row, protocol, setting, asked.results), flush=True)


if __name__ == "__main__":
    try:
        main()
    except FerEdgeError as error:
        raise SystemExit(f"Error: {error}") from error
    except KeyboardInterrupt:
        raise SystemExit("interrupted; the same command goes on where this one stopped") from None
