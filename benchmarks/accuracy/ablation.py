#!/usr/bin/env python3
"""What each element of the recipe is worth: ``nano`` on a short schedule, one element changed at a time.

    benchmarks/accuracy/ablation.py fer2013.csv fer2013new.csv [--epochs N] [--runs FOLDER] [--only NAME ...]
        [--seeds 1 2]

Every run holds out the same tenth of Training, 2,721 images, but for the one without blank and conflicting images,
which are left out before: its tenth has 2,716, and 2,714 of them are the same. The accuracy there, of the last epoch,
is the result: PublicTest is not looked at. Runs that are there already are not repeated, killed ones go on, and several
of these commands may run side by side (``taskset -c 0``, ``-c 1``: such a small network trains on one core at two
thirds of the speed of two). The results are kept in ``benchmarks/results/accuracy/ablation.json``, without those of
another base or number of epochs; ``benchmarks/tables.py`` shows them.
"""

from __future__ import annotations

import argparse
import csv
import fcntl
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fer_edge.files import write_atomically
from fer_edge.model_file import file_hash

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "accuracy" / "ablation.json"
BASE = ["--model", "nano", "--optimizer", "muon", "--learning-rate", "2e-2", "--precision", "bfloat16"]
BASE += ["--dropout", "0"]
VOTES = "fer2013new.csv"  # stands for the file that is given
ELEMENTS: dict[str, list[str]] = {
    "base": [],
    "no mirroring": ["--no-flip"],
    "no rotation, scale, shift": ["--rotation", "0", "--scale", "0", "--shift", "0"],
    "no contrast": ["--contrast", "0"],
    "no erasing": ["--erasing", "0"],
    "no mixup": ["--mixup", "0"],
    "cutmix": ["--mixup", "0", "--cutmix", "0.3"],
    "no label smoothing": ["--label-smoothing", "0"],
    "no averaging": ["--ema-epochs", "0"],
    "constant rate": ["--schedule", "constant"],
    "AdamW": ["--optimizer", "adamw", "--learning-rate", "4e-3"],
    "SAM": ["--sam", "0.05"],
    "class weighting 0.5": ["--class-weighting", "0.5"],
    "blank and conflicting left out": ["--clean"],
    "FER+ votes beside the labels": ["--auxiliary-ferplus", VOTES],
    "camera": ["--light", "0.15", "--blur", "0.1", "--noise", "0.15"],
}
"""Name -> what differs from the base."""


def run(name: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Train one variant, or read what it left, and return its row."""
    arguments = [*BASE, "--epochs", str(options.epochs), *ELEMENTS[name], "--seed", str(seed)]
    data = file_hash(Path(options.data)) if Path(options.data).is_file() else options.data
    # Runs of another base, and of other data, are other runs.
    settings = hashlib.sha256(" ".join([*arguments, data]).encode()).hexdigest()[:8]
    folder = options.runs / f"{name.replace(' ', '-').replace(',', '')}-{settings}"
    given = [options.votes if argument == VOTES else argument for argument in arguments]
    card = folder / "run.json"
    if not (card.exists() and "finished" in json.loads(card.read_text())):
        resume = ["--resume"] if (folder / "checkpoint.npz").exists() else []
        command = [sys.executable, "-m", "fer_edge", "train", options.data, "--out", str(folder), *given, *resume]
        if code := subprocess.run(command, check=False).returncode:
            raise SystemExit(code)  # it has said why
    rows = list(csv.DictReader((folder / "history.csv").open()))
    last, written = rows[-1], json.loads(card.read_text())
    return {
        "element": name,
        "seed": seed,
        "options": " ".join(arguments),
        "epochs": len(rows),
        "holdout_accuracy": float(last["holdout_accuracy"]),
        "train_accuracy": float(last["train_accuracy"]),
        "holdout_images": written["data"]["images"]["held_out"],
        "machine": {key: written["machine"][key] for key in ("architecture", "board", "processor", "cores")},
    }


def main() -> None:
    """Run what is missing and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("votes")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--runs", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--only", nargs="+", choices=ELEMENTS, default=list(ELEMENTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    options = parser.parse_args()
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        for seed in options.seeds:
            keep(run(name, seed, options))


def keep(row: dict[str, Any]) -> None:
    """Add a row to the results, or renew it; rows that it cannot be compared with go."""
    folder = os.open(RESULTS.parent, os.O_RDONLY)
    try:
        # Read again every time, one at a time: another process may be at work on other elements, on the other core.
        # The folder is locked, not the file, which every writing replaces.
        fcntl.flock(folder, fcntl.LOCK_EX)
        rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
        rows = [old for old in rows if common(old) == common(row)]
        kept = {(old["element"], old["seed"]): old for old in rows} | {(row["element"], row["seed"]): row}
        write_atomically(RESULTS, json.dumps(list(kept.values()), indent=1).encode() + b"\n")
    finally:
        os.close(folder)


def common(row: dict[str, Any]) -> tuple[str, str]:
    """Return what all rows of a table have in common: the options of the base, and the epochs."""
    base, _, rest = row["options"].partition(" --epochs ")
    return base, rest.split()[0]


if __name__ == "__main__":
    main()
