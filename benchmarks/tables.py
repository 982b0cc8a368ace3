#!/usr/bin/env python3
"""Write the tables in README.md, docs/ and the models' cards from the results in benchmarks/results.

    benchmarks/tables.py            rewrite them
    benchmarks/tables.py --check    exit with 1 if a document does not show what the results say

A table stands between ``<!-- table NAME -->`` and ``<!-- end -->``; its text is never edited by hand.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from aims import aims_table

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENTS = (
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "edge" / "models").glob("*.md")),
)
MARK = re.compile(r"(<!-- table (?P<name>\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def machine_name(machine: dict[str, Any]) -> str:
    """Name a machine so that a workstation is never taken for a Raspberry Pi."""
    board = machine["board"]
    return board or f"{machine['cores']}-core {machine['architecture']} workstation ({machine['processor']})"


def models_table() -> str:
    """Return accuracy, size and latency of the shipped models, one row for each machine that measured them."""
    lines = [
        "| model | file | classes | PublicTest top-1 | macro F1 | calibration error | a face, 1 thread | measured on |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for path in sorted(RESULTS.glob("*/*-bench.json")):
        bench = json.loads(path.read_text())
        accuracies = path.with_name(path.name.replace("-bench", "-evaluate"))
        if not accuracies.exists():
            raise SystemExit(f"{accuracies}: expected it beside {path.name}, found none; run benchmarks/measure again")
        evaluated = json.loads(accuracies.read_text())
        (file,) = evaluated["models"]
        if file["sha256"] != bench["model"]["sha256"]:
            raise SystemExit(f"{path}: accuracy and latency come from different files; run benchmarks/measure again")
        one_thread = next(row for row in bench["latency"] if row["threads"] == 1 and row["xnnpack"])
        accuracy = f"{evaluated['top1']:.1%} ± {evaluated['accuracy_se']:.1%}"
        name = path.name.removesuffix("-bench.json")
        lines.append(
            f"| `{name}` | {file['bytes'] / 1024:.0f} KB | {len(evaluated['classes'])} | {accuracy} "
            f"| {evaluated['macro_f1']:.1%} | {evaluated['calibration_error']:.1%} "
            f"| {one_thread['wall_us']['p50']:.0f} µs | {machine_name(bench['machine'])} |"
        )
    return "\n".join(lines)


def loop_table() -> str:
    """Return the device loop's time by stage, one row for each machine."""
    stages = ("skin", "detect", "classify", "total")
    lines = [
        f"| source | {' | '.join(stages)} | CPU a picture | measured on |",
        f"|---|{'---:|' * len(stages)}---:|---|",
    ]
    for path in sorted(RESULTS.glob("*/compact-bench.json")):
        bench = json.loads(path.read_text())
        loop = bench["pipeline"]
        times = " | ".join(f"{loop['stages_ms'][stage]['p50']:.1f} ms" for stage in stages)
        lines.append(
            f"| {loop['source']}, {loop['width']}x{loop['height']} | {times} | {loop['cpu_ms']:.1f} ms "
            f"| {machine_name(bench['machine'])} |"
        )
    return "\n".join(lines)


def classes_table(model: str) -> str:
    """Return precision, recall and F1 per class of a shipped model, recall with its standard error."""
    evaluated = json.loads((RESULTS / "x86_64" / f"{model}-evaluate.json").read_text())
    lines = ["| class | precision | recall | F1 | images |", "|---|---:|---:|---:|---:|"]
    for c in evaluated["classes"]:
        error = (c["recall"] * (1 - c["recall"]) / c["support"]) ** 0.5
        recall = f"{c['recall']:.1%} ± {error:.1%}"
        lines.append(f"| {c['label']} | {c['precision']:.1%} | {recall} | {c['f1']:.1%} | {c['support']} |")
    accuracy = f"{evaluated['top1']:.2%} ± {evaluated['accuracy_se']:.2%}"
    lines += [
        "",
        f"Top-1 {accuracy}, top-2 {evaluated['top2']:.1%}, top-3 {evaluated['top3']:.1%}, balanced accuracy "
        f"{evaluated['balanced_accuracy']:.1%}, macro F1 {evaluated['macro_f1']:.1%}, on {evaluated['images']} images. "
        f"Expected calibration error {evaluated['calibration_error']:.1%}. "
        f"SHA-256 of the file: `{evaluated['models'][0]['sha256']}`.",
    ]
    return "\n".join(lines)


def robustness_table(argument: str) -> str:
    """Return what each condition costs, in points of top-1, one column for each shipped model or for the named one."""
    shipped = [path.stem for path in sorted((ROOT / "edge" / "models").glob("*.tflite"))]
    names = [argument] if argument else [name for name in shipped if not name.startswith("face-")]
    found = {name: json.loads((RESULTS / "x86_64" / f"{name}-evaluate.json").read_text()) for name in names}
    lines = [f"| condition | {' | '.join(f'`{name}`' for name in names)} |", f"|---|{'---:|' * len(names)}"]
    lines.append(f"| as it is | {' | '.join(format(e['top1'], '.1%') for e in found.values())} |")
    lines += [
        f"| {condition} | {' | '.join(_change(e, condition) for e in found.values())} |"
        for condition in next(iter(found.values()))["robustness"]
    ]
    lines.append(f"| averaged with the mirror image | {' | '.join(_gain(e) for e in found.values())} |")
    return "\n".join(lines)


def _change(evaluated: dict[str, Any], condition: str) -> str:
    if "robustness_errors" not in evaluated:
        raise SystemExit("robustness: without the errors of paired images; run benchmarks/measure again")
    points = 100 * (evaluated["robustness"][condition] - evaluated["top1"])
    return f"{points:+.1f} ± {100 * evaluated['robustness_errors'][condition]:.1f}"


def _gain(evaluated: dict[str, Any]) -> str:
    return f"{100 * (evaluated['with_mirror'] - evaluated['top1']):+.1f}"


def latency_table() -> str:
    """Return microseconds a face of the shipped models and of what others ship."""
    result = json.loads((RESULTS / "accuracy" / "latency.json").read_text())
    references = [name for name, row in result["models"].items() if "times_faster" not in row]
    lines = [f"| model | file | a face |{''.join(f' faster than {name} |' for name in references)}"]
    lines.append(f"|---|---:|---:|{'---:|' * len(references)}")
    for name, row in result["models"].items():
        if name not in references and file_hash(name) != row["sha256"]:
            raise SystemExit(f"latency of {name}: not of the shipped file; run benchmarks/accuracy/latency.py again")
        ratios = [row["times_faster"][r] for r in references] if name not in references else []
        cells = [f"{r['ratio']:.1f} times ({r['interval'][0]:.1f} to {r['interval'][1]:.1f})" for r in ratios]
        cells = cells or [""] * len(references)
        lines.append(f"| {name} | {row['bytes'] / 1024:.0f} KB | {row['us']:.0f} µs | {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"Measured on: {machine_name(result['machine'])}."])


def shapes_table() -> str:
    """Return accuracy on held-out images against microseconds of int8 inference, the fastest first."""
    path = RESULTS / "accuracy" / "shapes.json"
    if not path.exists():
        return "Not run yet: `benchmarks/accuracy/shapes.py fer2013.csv fer2013new.csv`"
    result = json.loads(path.read_text())
    lines = [
        "| shape | convolutions | multiply-adds | file | a face | accuracy of each run |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for name, row in sorted(result["shapes"].items(), key=lambda item: float(item[1]["us"])):
        stages = ", ".join(f"{channels}{'/2' * (stride == 2)}" for channels, stride in row["shape"]["stages"])
        accuracies = row["holdout_accuracies"]
        lines.append(
            f"| {name} | {stages} | {row['multiply_adds'] / 1e6:.1f} M | {row['bytes'] / 1024:.0f} KB "
            f"| {row['us']:.1f} µs | {', '.join(f'{accuracy:.1%}' for accuracy in accuracies)} |"
        )
    some = next(iter(result["shapes"].values()))
    return "\n".join(
        [
            *lines,
            "",
            f"{some['epochs']} epochs each; accuracy on {some['held_out']:,} held-out images, with a standard error of "
            f"{100 * (0.25 / some['held_out']) ** 0.5:.1f} points. /2: stride 2. "
            f"Measured on: {machine_name(result['machine'])}.",
        ]
    )


def file_hash(model: str) -> str:
    """Return the SHA-256 of a shipped file."""
    return hashlib.sha256((ROOT / "edge" / "models" / f"{model}.tflite").read_bytes()).hexdigest()


def conversion_table() -> str:
    """Return what conversion changed, without and with fine-tuning, one row for each shipped model."""
    lines = [
        "| model | float | int8, not fine-tuned | difference | same class | int8, shipped | difference | same class |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    operators = []
    for path in sorted((RESULTS / "conversion").glob("*.json")):
        report = json.loads(path.read_text())
        if file_hash(path.stem) != report["sha256"]:
            raise SystemExit(f"{path}: is not the report of the shipped file; copy that of its conversion")
        cells = " | ".join(
            f"{c['top1']:.2%} | {100 * c['difference']:+.2f} ± {100 * c['difference_se']:.2f} | {c['agreement']:.2%}"
            for c in (report["post_training"] or report["comparison"], report["comparison"])
        )
        lines.append(f"| `{path.stem}` | {report['comparison']['float_top1']:.2%} | {cells} |")
        operators.append(
            f"`{path.stem}`: {', '.join(f'{count} {name}' for name, count in report['operators'].items())}."
        )
    return "\n".join([*lines, "", "Differences are points of top-1, paired. Operators: " + " ".join(operators)])


def rounding_table() -> str:
    """Return what each part of the quantization is worth, one column for each network."""
    networks = json.loads((RESULTS / "accuracy" / "rounding.json").read_text())
    order = [(place, part) for network in networks.values() for place, part in enumerate(network["rows"])]
    parts = dict.fromkeys(part for _, part in sorted(order, key=lambda entry: entry[0]))
    lines = [f"| | {' | '.join(f'`{name}`' for name in networks)} |", "|---|" + "---:|" * len(networks)]
    for part in parts:
        found = [network["rows"].get(part) for network in networks.values()]
        cells = [f"{row['agreement']:.1%}, {row['mean_difference']:.4f}" if row else "" for row in found]
        lines.append(f"| {part} | {' | '.join(cells)} |")
    return "\n".join(lines)


def ablation_table() -> str:
    """Return what each element of the recipe is worth, in points of held-out accuracy."""
    path = RESULTS / "accuracy" / "ablation.json"
    rows = json.loads(path.read_text()) if path.exists() else []
    base = {row["seed"]: row["holdout_accuracy"] for row in rows if row["element"] == "base"}
    found: dict[str, list[float]] = {}
    for row in rows:
        if row["element"] != "base" and row["seed"] in base:
            found.setdefault(row["element"], []).append(100 * (row["holdout_accuracy"] - base[row["seed"]]))
    if not found:
        return "Not run yet: `benchmarks/accuracy/ablation.py fer2013.csv fer2013new.csv`"
    images = next(row["holdout_images"] for row in rows if row["element"] == "base" and row["seed"] == min(base))
    lines = ["| instead of the base | held-out accuracy, points | runs |", "|---|---:|---:|"]
    for element, gains in sorted(found.items(), key=lambda item: sum(item[1]) / len(item[1])):
        others = sorted({row["holdout_images"] for row in rows if row["element"] == element} - {images})
        note = f" (on {', '.join(map(str, others))} images)" if others else ""
        lines.append(f"| {element}{note} | {', '.join(f'{gain:+.1f}' for gain in gains)} | {len(gains)} |")
    said = ", ".join(f"{accuracy:.1%} with seed {seed}" for seed, accuracy in base.items())
    error = 100 * (base[min(base)] * (1 - base[min(base)]) / images) ** 0.5
    epochs = next(row["epochs"] for row in rows if row["element"] == "base")
    machines = ", ".join(sorted({machine_name(row["machine"]) for row in rows}))
    return "\n".join(
        [
            *lines,
            "",
            f"`nano`, {epochs} epochs; the base has {said}, on {images} held-out images of Training; the standard "
            f"error of one accuracy is {error:.1f} points, that of a difference of two runs somewhat less. "
            f"Run on: {machines}.",
        ]
    )


def table(name: str) -> str:
    """Return the table called `name`, or of a kind and a model: ``classes:compact``."""
    kind, _, argument = name.partition(":")
    if kind == "classes":
        return classes_table(argument)
    if kind == "robustness":
        return robustness_table(argument)
    tables = {
        "aims": aims_table,
        "models": models_table,
        "loop": loop_table,
        "conversion": conversion_table,
        "latency": latency_table,
        "ablation": ablation_table,
        "rounding": rounding_table,
        "shapes": shapes_table,
    }
    if kind not in tables:
        raise SystemExit(f"expected one of the tables {', '.join(tables)}, found '{name}' in a document; correct it")
    return tables[kind]()


def main() -> None:
    """Rewrite or check every document."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where a document is stale")
    check = parser.parse_args().check
    stale = []
    for document in DOCUMENTS:
        text = document.read_text()
        new = MARK.sub(lambda found: f"{found[1]}{table(found['name'])}\n{found[3]}", text)
        if new != text:
            stale.append(document.name)
            if not check:
                document.write_text(new)
    if stale and check:
        raise SystemExit(f"{', '.join(stale)}: not what benchmarks/results says; run benchmarks/tables.py")


if __name__ == "__main__":
    main()
