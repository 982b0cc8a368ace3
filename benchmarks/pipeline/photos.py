#!/usr/bin/env python3
"""Measure face detection on photos with annotated boxes, by kind of skin model, light and skin tone.

    benchmarks/pipeline/photos.py --photos DIR [--yunet FILE.onnx] --out RESULT.json
    benchmarks/pipeline/photos.py --table         write the tables of docs/skin.md from the kept result

DIR holds ``annotations.json``, a list of ``{"file", "boxes", "ignore"}`` with boxes of x, y, w, h in pixels.
docs/skin.md describes the protocol.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from lights import LIGHTS
from tones import CLASSES, tone

from fer_edge.device.detection.cascade import HaarCascade, find_cascade
from fer_edge.device.detection.skin import Regions, SkinRegions, segmentation
from fer_edge.device.detection.yunet import YuNet
from fer_edge.device.faces import iou
from fer_edge.device.frame import Frame, frame_from_bgr
from fer_edge.device.opencv import cv2
from fer_edge.machine import describe_machine
from fer_edge.preprocess import Box

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "benchmarks" / "results" / "pipeline" / "photos-x86_64.json"
PAGE = ROOT / "docs" / "skin.md"
SAME = 0.3
AS_TAKEN = "as taken"
REFERENCE = "cascade"
"""OpenCV's own full search: windows from 24 pixels in steps of 1.1, more than 5 of which agree."""

Way = Callable[[Frame], tuple[list[Box], str | None]]


def ways(yunet: Path | None) -> dict[str, Way]:
    """Return name -> a way to find the boxes of faces, and why the whole picture was searched if it was."""
    haar = HaarCascade()
    plain = cv2.CascadeClassifier(str(find_cascade()))

    def reference(frame: Frame) -> tuple[list[Box], str | None]:
        found = plain.detectMultiScale(frame.y, 1.1, 5, 0, (24, 24))
        return [Box(*map(int, box)) for box in found], "off"

    def skin(kind: str) -> Way:
        regions_of = segmentation(kind, haar.smallest)
        assert isinstance(regions_of, SkinRegions)

        def find(frame: Frame) -> tuple[list[Box], str | None]:
            regions = regions_of.look(frame, ())
            boxes = [face.box for face in haar.detect(frame, regions)]
            regions_of.model.learn(frame, boxes)
            return boxes, regions.search_all

        return find

    named: dict[str, Way] = {
        REFERENCE: reference,
        "off": lambda frame: ([face.box for face in haar.detect(frame, Regions((), "off"))], "off"),
        **{kind: skin(kind) for kind in ("static", "ellipse", "adaptive")},
    }
    if yunet:
        network = YuNet(yunet)
        named["yunet"] = lambda frame: ([face.box for face in network.detect(frame, Regions((), "off"))], "off")
    return named


@dataclasses.dataclass
class Count:
    """What a way found in one light: numbers of faces, seconds of CPU time, and photos searched wholly by reason."""

    found: set[tuple[int, int]] = dataclasses.field(default_factory=set)
    false: int = 0
    cpu: float = 0.0
    whole: Counter[str] = dataclasses.field(default_factory=Counter)


def match(found: list[Box], wanted: list[Box], ignored: list[Box]) -> tuple[set[int], int]:
    """Return which wanted boxes were found, greatest overlap first, and the number of false ones."""
    pairs = sorted(((iou(f, w), i, j) for i, f in enumerate(found) for j, w in enumerate(wanted)), reverse=True)
    joined: dict[int, int] = {}
    for overlap, i, j in pairs:
        if overlap >= SAME and i not in joined and j not in joined.values():
            joined[i] = j
    rest = (box for i, box in enumerate(found) if i not in joined)
    false = sum(not any(iou(box, other) >= SAME for other in ignored) for box in rest)
    return set(joined.values()), false


def measure(folder: Path, yunet: Path | None) -> dict[str, Any]:
    """Run every way on every photo in every light, and return the JSON-ready result."""
    cv2.setNumThreads(1)
    photos = json.loads((folder / "annotations.json").read_text())
    pictures = [cv2.imread(str(folder / photo["file"])) for photo in photos]
    boxes = [[Box(*box) for box in photo["boxes"]] for photo in photos]
    ignored = [[Box(*box) for box in photo["ignore"]] for photo in photos]
    tones = {(i, j): tone(bgr, box) for i, bgr in enumerate(pictures) for j, box in enumerate(boxes[i])}
    results: dict[str, Any] = {}
    for light, change in LIGHTS.items():
        finders = ways(yunet)
        if light != AS_TAKEN:
            del finders["off"]  # the cascade without its overlapping boxes, in any light
        counts = {name: Count() for name in finders}
        rng = np.random.default_rng(0)
        for i, bgr in enumerate(pictures):
            frame = frame_from_bgr(change(bgr, rng), float(i), i)
            for name, find in finders.items():
                start = time.process_time()
                found, whole = find(frame)
                counts[name].cpu += time.process_time() - start
                hits, false = match(found, boxes[i], ignored[i])
                counts[name].found |= {(i, j) for j in hits}
                counts[name].false += false
                counts[name].whole[whole or "regions"] += 1
        results[light] = {name: summary(count, counts[REFERENCE], tones) for name, count in counts.items()}
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": "benchmarks/pipeline/photos.py --photos DIR --yunet FILE --out RESULT",
        "machine": describe_machine(),
        "protocol": {"photos": len(photos), "faces": len(tones), "iou": SAME, "clock": "process_time", "threads": 1},
        "tones": dict(Counter(tones.values())),
        "lights": results,
    }


def summary(count: Count, reference: Count, tones: dict[tuple[int, int], str]) -> dict[str, Any]:
    """Return the JSON-ready figures of a way in one light."""
    return {
        "found": len(count.found),
        "kept": len(count.found & reference.found),
        "false": count.false,
        "cpu_s": round(count.cpu, 3),
        "cpu_relative": round(count.cpu / reference.cpu, 3),
        "whole": dict(count.whole),
        "found_by_tone": dict(Counter(tones[face] for face in count.found)),
    }


def of_groups(counts: dict[str, int]) -> tuple[int, int]:
    """Return the faces of the lighter and of the darker half of the classes."""
    lighter, darker = list(CLASSES)[:3], list(CLASSES)[3:]
    return sum(counts.get(c, 0) for c in lighter), sum(counts.get(c, 0) for c in darker)


def ways_table(result: dict[str, Any]) -> str:
    """Return what each way finds and costs in the photos as they were taken."""
    rows, faces = result["lights"][AS_TAKEN], result["protocol"]["faces"]
    lighter, darker = of_groups(result["tones"])
    base = rows[REFERENCE]["found"]
    lines = [
        f"| way | found of {faces} | of the {base} of the cascade | false faces | CPU time | lighter, of {lighter} "
        f"| darker, of {darker} |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in rows.items():
        light, dark = of_groups(row["found_by_tone"])
        lines.append(
            f"| `{name}` | {row['found']} ({row['found'] / base:.1%}) | {row['kept']} ({row['kept'] / base:.1%}) "
            f"| {row['false']} | {row['cpu_relative']:.0%} | {light} ({light / lighter:.0%}) "
            f"| {dark} ({dark / darker:.0%}) |"
        )
    return "\n".join(lines)


def lights_table(result: dict[str, Any]) -> str:
    """Return what each way finds in each light, lighter and darker faces apart."""
    names = [name for name in result["lights"][AS_TAKEN] if name != "off"]
    lines = [f"| light | {' | '.join(f'`{name}`' for name in names)} |", f"|---|{'---|' * len(names)}"]
    for light, rows in result["lights"].items():
        cells = []
        for row in (rows[name] for name in names):
            light_faces, dark_faces = of_groups(row["found_by_tone"])
            cells.append(f"{light_faces} + {dark_faces}, {row['false']} false, {row['cpu_relative']:.0%}")
        lines.append(f"| {light} | {' | '.join(cells)} |")
    return "\n".join(lines)


def tones_table(result: dict[str, Any]) -> str:
    """Return what each way finds of each class of skin tone, in the photos as they were taken."""
    rows, tones = result["lights"][AS_TAKEN], result["tones"]
    lines = [f"| class | faces | {' | '.join(f'`{name}`' for name in rows)} |", f"|---|---:|{'---:|' * len(rows)}"]
    for name in CLASSES:
        found = " | ".join(str(row["found_by_tone"].get(name, 0)) for row in rows.values())
        lines.append(f"| {name} | {tones.get(name, 0)} | {found} |")
    return "\n".join(lines)


def write_tables(result: dict[str, Any]) -> None:
    """Replace the tables of the page, and the sentence about the machine."""
    machine = result["machine"]
    name = machine["board"] or f"{machine['cores']}-core {machine['architecture']} workstation ({machine['processor']})"
    made = f"Made by `{result['command']}` on {result['date'][:10]}, one thread, on a {name}; not a Raspberry Pi."
    texts = {"ways": ways_table(result) + f"\n\n{made}", "lights": lights_table(result), "tones": tones_table(result)}
    mark = re.compile(r"(<!-- photos (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
    PAGE.write_text(mark.sub(lambda found: f"{found[1]}{texts[found[2]]}\n{found[3]}", PAGE.read_text()))


def main() -> None:
    """Measure, or write the tables."""
    parser = argparse.ArgumentParser(description="Measure face detection on annotated photos.")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="folder with annotations.json")
    parser.add_argument("--yunet", type=Path, metavar="FILE", help="also measure this YuNet model")
    parser.add_argument("--out", type=Path, default=RESULT, metavar="FILE", help="result; default: the kept one")
    parser.add_argument("--table", action="store_true", help="write the tables of docs/skin.md from the kept result")
    wanted = parser.parse_args()
    if wanted.table:
        write_tables(json.loads(RESULT.read_text()))
    elif wanted.photos:
        wanted.out.parent.mkdir(parents=True, exist_ok=True)
        wanted.out.write_text(json.dumps(measure(wanted.photos, wanted.yunet), indent=1) + "\n")
        print(wanted.out)
    else:
        parser.error("give --photos DIR or --table")


if __name__ == "__main__":
    main()
