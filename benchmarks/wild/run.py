#!/usr/bin/env python3
"""Judge models on faces that none of them was trained on.

    benchmarks/wild/run.py --fer2013 fer2013.csv --ferplus fer2013new.csv --ckplus ckplus48.zip --photos FOLDER \
        [--clips FOLDER] [--data NAME=DATA]... [--model NAME]... [--fer FILE] [--out RESULT.json]
    benchmarks/wild/run.py --table       write the tables of docs/wild.md from the kept result

A model is a shipped one, a .tflite file, or several joined by + whose probabilities are averaged; without --model all
shipped ones. --photos is a folder with labels.csv (file,label,set), --clips one with plausible.json. --data judges on
any data set that `fer-edge train` reads as well, outside of the headline. --fer is emotion_model_quantized.tflite of
the package fer. docs/wild.md describes the protocol.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
from pathlib import Path
from typing import Any

from clips import measure_clips
from figures import figures, headline
from models import Judged, open_fer, open_judged
from sets import Faces, pooled, read_ckplus, read_ferplus, read_photos

from fer_edge.errors import FerEdgeError
from fer_edge.machine import describe_machine
from fer_edge.model_file import write_atomically
from fer_edge.shipped import shipped_models

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "benchmarks" / "results" / "wild" / "x86_64.json"
PAGE = ROOT / "docs" / "wild.md"
MARK = re.compile(r"(<!-- wild (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def progress(text: str) -> None:
    """Say what is being done."""
    print(text, file=sys.stderr, flush=True)


def measure(wanted: argparse.Namespace) -> dict[str, Any]:
    """Judge every model on every set, and return the JSON-ready result."""
    counted = [
        read_ckplus(wanted.ckplus),
        read_ferplus(wanted.fer2013, wanted.ferplus),
        *read_photos(wanted.photos),
    ]
    others = [pooled(*named.split("=", 1)) for named in wanted.data]
    judged = [open_judged(name) for name in wanted.model or shipped_models()]
    if wanted.fer:
        judged.append(open_fer(wanted.fer))
    models = {each.name: judge(each, counted, others, wanted.clips) for each in judged}
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": "benchmarks/wild/run.py --fer2013 CSV --ferplus CSV --ckplus ZIP --photos DIR --clips DIR",
        "machine": describe_machine(),
        "sets": {faces.name: {"images": len(faces.labels), "found": faces.found} for faces in (*counted, *others)},
        "headline_sets": [faces.name for faces in counted],
        "models": models,
    }


def judge(model: Judged, counted: list[Faces], others: list[Faces], clips: Path | None) -> dict[str, Any]:
    """Return the figures of one model."""
    progress(model.name)
    sets = {faces.name: figures(model.scores(faces.crops), faces.labels) for faces in (*counted, *others)}
    document: dict[str, Any] = {
        "files": [{"sha256": sha256, "bytes": size} for sha256, size in model.files.items()],
        "headline": headline({faces.name: sets[faces.name] for faces in counted}),
        "sets": sets,
    }
    if clips and len(model.members) == 1:
        document["clips"] = measure_clips(clips, model.members[0], progress)
    return document


def sets_table(result: dict[str, Any]) -> str:
    """Return top-1 and mean recall of each model on each set, and the headline."""
    names = list(result["sets"])
    sizes = [f"{name} ({result['sets'][name]['images']})" for name in names]
    lines = [
        f"| model | {' | '.join(sizes)} | headline |",
        f"|---|{'---:|' * len(names)}---:|",
    ]
    for model, found in result["models"].items():
        cells = [
            f"{100 * s['top1']:.1f} / {100 * s['mean_recall']:.1f} ± {100 * s['mean_recall_se']:.1f}"
            for s in (found["sets"][name] for name in names)
        ]
        lines.append(f"| `{model}` | {' | '.join(cells)} | {100 * found['headline']:.1f} |")
    return "\n".join(lines)


def calibration_table(result: dict[str, Any]) -> str:
    """Return each model's calibration error by set, and how often it calls neutral faces neutral."""
    names = list(result["sets"])
    neutral = [name for name in names if any(m["sets"][name]["neutral_recall"] for m in result["models"].values())]
    headers = [*(f"error, {name}" for name in names), *(f"neutral found, {name}" for name in neutral)]
    lines = [f"| model | {' | '.join(headers)} |", f"|---|{'---:|' * len(headers)}"]
    for model, found in result["models"].items():
        cells = [f"{100 * found['sets'][name]['calibration_error']:.1f} %" for name in names]
        cells += [f"{100 * (found['sets'][name]['neutral_recall'] or 0):.0f} %" for name in neutral]
        lines.append(f"| `{model}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def clips_table(result: dict[str, Any]) -> str:
    """Return how many labels in the clips would do, and how often they change."""
    lines = ["| model | faces | plausible | changes a minute | false changes a minute |", "|---|---:|---:|---:|---:|"]
    for model, found in result["models"].items():
        if clips := found.get("clips"):
            share, changes = 100 * clips["plausible"], clips["changes_per_minute"]
            false = clips["false_changes_per_minute"]
            lines.append(f"| `{model}` | {clips['faces']} | {share:.1f} % | {changes:.1f} | {false:.1f} |")
    return "\n".join(lines)


def with_tables(page: str, result: dict[str, Any]) -> str:
    """Return the text of the page with its tables from a result."""
    machine = result["machine"]
    name = machine["board"] or f"{machine['cores']}-core {machine['architecture']} workstation ({machine['processor']})"
    made = f"Made by `{result['command']}` on {result['date'][:10]} on a {name}."
    texts = {
        "sets": f"{sets_table(result)}\n\n{made}",
        "calibration": calibration_table(result),
        "clips": clips_table(result),
    }
    return MARK.sub(lambda found: f"{found[1]}{texts[found[2]]}\n{found[3]}", page)


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--fer2013", type=Path, metavar="CSV", help="fer2013.csv")
    parser.add_argument("--ferplus", type=Path, metavar="CSV", help="fer2013new.csv")
    parser.add_argument("--ckplus", type=Path, metavar="ZIP", help="CK+, a zip or folder")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="folder with labels.csv (file,label,set)")
    parser.add_argument("--clips", type=Path, metavar="DIR", help="folder of clips with plausible.json")
    parser.add_argument("--data", action="append", default=[], metavar="NAME=DATA", help="another set; may be repeated")
    parser.add_argument("--model", action="append", metavar="NAME", help="shipped model or file; may be repeated")
    parser.add_argument("--fer", type=Path, metavar="FILE", help="the .tflite file of the package fer")
    parser.add_argument("--out", type=Path, default=RESULT, metavar="FILE", help="result; default: the kept one")
    parser.add_argument("--table", action="store_true", help="write the tables of docs/wild.md from the kept result")
    wanted = parser.parse_args()
    if not wanted.table and not all((wanted.fer2013, wanted.ferplus, wanted.ckplus, wanted.photos)):
        parser.error("give --fer2013, --ferplus, --ckplus and --photos, or --table")
    if any("=" not in named for named in wanted.data):
        parser.error("--data takes NAME=DATA, such as RAF-DB=basic")
    return parser.parse_args()


def main() -> None:
    """Measure, or write the tables."""
    wanted = arguments()
    if wanted.table:
        PAGE.write_text(with_tables(PAGE.read_text(), json.loads(RESULT.read_text())))
        return
    result = measure(wanted)
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(wanted.out, json.dumps(result, indent=1).encode() + b"\n")
    print(sets_table(result))
    print(wanted.out)


if __name__ == "__main__":
    try:
        main()
    except FerEdgeError as error:
        raise SystemExit(f"Error: {error}") from error
