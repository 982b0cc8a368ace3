#!/usr/bin/env python3
"""Judge models on faces that none of them was trained on.

    benchmarks/wild/run.py --fer2013 fer2013.csv --ferplus fer2013new.csv --ckplus ckplus48.zip --photos FOLDER \
        [--clips FOLDER] [--detector face] [--data NAME=DATA]... [--model NAME]... [--peer NAME=FILE]... [--out FILE]
    benchmarks/wild/run.py --table       write the tables of docs/wild.md from the kept results

A model is a shipped one, a .tflite file, or several joined by + whose probabilities are averaged; without --model all
shipped ones. --photos is a folder with labels.csv (file,label,set), --clips one with plausible.json. --data judges on
any data set that `fer-edge train` reads as well, outside of the headline. --peer is another package's model, by the
file that `peers.py` says: fer, face-api or facex. docs/wild.md describes the protocol.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clips import measure_clips
from figures import FEWEST, figures, headline
from models import Judged, open_judged
from page import PAGE, origin
from peers import PEERS, Peer, open_peer
from sets import Faces, pooled, read_ckplus, read_ferplus, read_photos

from fer_edge.device.detection.choice import DetectorChoice
from fer_edge.errors import FerEdgeError
from fer_edge.machine import describe_machine
from fer_edge.model_file import write_atomically
from fer_edge.shipped import DEFAULT, shipped_models

ROOT = Path(__file__).resolve().parents[2]
RESULTS = {
    name: ROOT / "benchmarks" / "results" / "wild" / f"x86_64{suffix}.json"
    for name, suffix in (("haar", ""), ("face", "-face"))
}
"""Detector -> the kept result with its boxes."""
PLOT = ROOT / "docs" / "images" / "reliability.png"
MARK = re.compile(r"(<!-- wild (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def progress(text: str) -> None:
    """Say what is being done."""
    print(text, file=sys.stderr, flush=True)


def measure(wanted: argparse.Namespace) -> dict[str, Any]:
    """Judge every model on every set, and return the JSON-ready result."""
    choice = DetectorChoice(wanted.detector)
    counted = [
        read_ckplus(wanted.ckplus),
        read_ferplus(wanted.fer2013, wanted.ferplus),
        *read_photos(wanted.photos, choice),
    ]
    others = [pooled(*named.split("=", 1)) for named in wanted.data]
    judged: list[Judged | Peer] = [open_judged(name) for name in wanted.model or shipped_models()]
    for named in wanted.peer:
        name, _, path = named.partition("=")
        judged.append(open_peer(name, Path(path)))
    models = {each.name: judge(each, counted, others, wanted.clips, choice) for each in judged}
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": "benchmarks/wild/run.py --fer2013 CSV --ferplus CSV --ckplus ZIP --photos DIR --clips DIR"
        + (f" --detector {wanted.detector}" if wanted.detector != "haar" else ""),
        "detector": wanted.detector,
        "machine": describe_machine(),
        "sets": {faces.name: {"images": len(faces.labels), "found": faces.found} for faces in (*counted, *others)},
        "headline_sets": [faces.name for faces in counted],
        "models": models,
    }


def judge(
    model: Judged | Peer, counted: list[Faces], others: list[Faces], clips: Path | None, choice: DetectorChoice
) -> dict[str, Any]:
    """Return the figures of one model."""
    progress(model.name)
    sets = {faces.name: figures(model.scores(faces.crops), faces.labels) for faces in (*counted, *others)}
    document: dict[str, Any] = {
        "files": [{"sha256": sha256, "bytes": size} for sha256, size in model.files.items()],
        "headline": headline({faces.name: sets[faces.name] for faces in counted}),
        "sets": sets,
    }
    if clips and isinstance(model, Judged) and len(model.members) == 1:
        document["clips"] = measure_clips(clips, model.members[0], progress, choice)
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


def detectors_table(results: Mapping[str, dict[str, Any]]) -> str:
    """Return what changes with the detector: the faces that are cut out by its boxes."""
    first = next(iter(results.values()))
    cut = [name for name, found in first["sets"].items() if found["found"] is not None]
    headers = [
        f"{name}, `{detector}` ({result['sets'][name]['found']} found)"
        for name in cut
        for detector, result in results.items()
    ]
    lines = [f"| model | {' | '.join(headers)} |", f"|---|{'---:|' * len(headers)}"]
    for model in first["models"]:
        if not all(model in result["models"] for result in results.values()):
            continue
        measured = [result["models"][model]["sets"][name] for name in cut for result in results.values()]
        cells = [
            f"{100 * s['top1']:.1f} / {100 * s['mean_recall']:.1f} ± {100 * s['mean_recall_se']:.1f}" for s in measured
        ]
        lines.append(f"| `{model}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def plot_reliability(sets: Mapping[str, dict[str, Any]], path: Path) -> None:
    """Draw how often a model is right against how sure it is, one line a set; bins of few faces are left out."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle="--", label="as sure as right")
    for name, found in sets.items():
        bins = [(sure, right) for sure, right, faces in found["reliability"] if faces >= FEWEST]
        axes.plot(*zip(*bins, strict=True), marker="o", label=name)
    axes.set(xlabel="highest probability", ylabel="share that is right", xlim=(0.1, 1), ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110, metadata={"Software": None})


def with_tables(page: str, results: Mapping[str, dict[str, Any]]) -> str:
    """Return the text of the page with its tables from the results, detector -> result."""
    result = results["haar"]
    texts = {
        "sets": f"{sets_table(result)}\n\n{origin(result)}",
        "calibration": calibration_table(result),
        "clips": clips_table(result),
        "detectors": detectors_table(results),
    }
    return MARK.sub(lambda found: f"{found[1]}{texts[found[2]]}\n{found[3]}", page)


def kept_results() -> dict[str, dict[str, Any]]:
    """Return detector -> the kept result with its boxes."""
    return {name: json.loads(path.read_text()) for name, path in RESULTS.items()}


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
    parser.add_argument("--detector", choices=RESULTS, default="haar", help="whose boxes photos and clips get")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=FILE", help=f"one of {', '.join(PEERS)}")
    parser.add_argument("--out", type=Path, metavar="FILE", help="result; default: the kept one of the detector")
    parser.add_argument("--table", action="store_true", help="write the tables of docs/wild.md from the kept results")
    wanted = parser.parse_args()
    if not wanted.table and not all((wanted.fer2013, wanted.ferplus, wanted.ckplus, wanted.photos)):
        parser.error("give --fer2013, --ferplus, --ckplus and --photos, or --table")
    if any("=" not in named for named in wanted.data):
        parser.error("--data takes NAME=DATA, such as RAF-DB=basic")
    if any(named.partition("=")[0] not in PEERS or "=" not in named for named in wanted.peer):
        parser.error(f"--peer takes NAME=FILE, whose name is one of {', '.join(PEERS)}")
    return parser.parse_args()


def main() -> None:
    """Measure, or write the tables."""
    wanted = arguments()
    if wanted.table:
        results = kept_results()
        PAGE.write_text(with_tables(PAGE.read_text(), results))
        plot_reliability(results["haar"]["models"][DEFAULT]["sets"], PLOT)
        return
    result, out = measure(wanted), wanted.out or RESULTS[wanted.detector]
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, json.dumps(result, indent=1).encode() + b"\n")
    print(sets_table(result))
    print(out)


if __name__ == "__main__":
    try:
        main()
    except FerEdgeError as error:
        raise SystemExit(f"Error: {error}") from error
