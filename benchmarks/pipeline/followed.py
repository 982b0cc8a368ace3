#!/usr/bin/env python3
"""Compare how the Haar cascade and the face networks follow faces in clips, beside the boxes of a reference.

    benchmarks/pipeline/followed.py --videos DIR [--frames N] [--networks DIR] --out RESULT.json

Beside a clip ``NAME`` lies its reference, ``NAME.yunet.json``, as for ``clips.py``. A face of the reference is found if
a reported box overlaps it by 0.3; a box that overlaps none by 0.2 is another one. Jitter is the mean second difference
of a box's centre, right and down together, in pixels a frame: movement at a constant speed has none. Processor time is
that of search and tracking; decoding, conversion and expressions are left out. Prints a Markdown table as well.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fer_edge.device.detection.cascade import HaarCascade
from fer_edge.device.detection.detector import Search
from fer_edge.device.detection.network_search import NetworkSearch
from fer_edge.device.detection.search import SpreadSearch
from fer_edge.device.detection.skin import segmentation
from fer_edge.device.faces import iou
from fer_edge.device.frame import Converter, Frame
from fer_edge.device.opencv import cv2
from fer_edge.device.tracking.tracker import Tracker
from fer_edge.faces.networks import PROPOSER, REFINER, open_finder
from fer_edge.machine import describe_machine
from fer_edge.model_file import file_hash
from fer_edge.preprocess import Box
from fer_edge.shipped import FOLDER

FOUND_IOU, NEAR_IOU = 0.3, 0.2
SMALLEST = 24
USUAL_RATE = 25.0
WARM_UP_FRAMES = 3


@dataclasses.dataclass
class Followed:
    """What one search did with a clip: counts against the reference, tracks, milliseconds, pixels."""

    found: int
    other: int
    tracks: int
    cpu_ms: float
    jitter: float


def frames(path: Path, limit: int) -> Iterator[Frame]:
    """Yield the first frames of a clip."""
    capture, converter = cv2.VideoCapture(str(path)), Converter()
    rate = capture.get(cv2.CAP_PROP_FPS)
    rate = rate if 5 < rate < 100 else USUAL_RATE
    for index in range(limit):
        ok, bgr = capture.read()
        if not ok:
            return
        yield converter.convert(bgr, index / rate, index)


def follow(search: Search, path: Path, limit: int, reference: dict[int, list[Box]]) -> Followed:
    """Run a search and a tracker over a clip."""
    tracker, seconds, numbers = Tracker(), [], set()
    found = other = 0
    centres: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for frame in frames(path, limit):
        start = time.process_time()
        tracks = tracker.update(search.find(frame, tracker.tracks).detections, frame.time)
        seconds.append(time.process_time() - start)
        boxes = [track.box for track in tracks]
        for track in tracks:
            numbers.add(track.id)
            centres[track.id].append((track.box.x + track.box.w / 2, track.box.y + track.box.h / 2))
        if frame.index in reference:
            hits, others = judge(boxes, reference[frame.index])
            found, other = found + hits, other + others
    return Followed(found, other, len(numbers), 1e3 * statistics.mean(seconds[WARM_UP_FRAMES:]), jitter(centres))


def judge(boxes: list[Box], real: list[Box]) -> tuple[int, int]:
    """Return how many faces of the reference were found, and how many boxes are near none."""
    free, found = list(range(len(boxes))), 0
    for face in real:
        best = max(free, key=lambda index: iou(boxes[index], face), default=None)
        if best is not None and iou(boxes[best], face) >= FOUND_IOU:
            free.remove(best)
            found += 1
    return found, sum(all(iou(boxes[index], face) <= NEAR_IOU for face in real) for index in free)


def jitter(centres: dict[int, list[tuple[float, float]]]) -> float:
    """Return the mean second difference of the tracks' centres."""
    steps = [
        abs(c[0] - 2 * b[0] + a[0]) + abs(c[1] - 2 * b[1] + a[1])
        for track in centres.values()
        for a, b, c in zip(track, track[1:], track[2:], strict=False)
    ]
    return statistics.mean(steps) if steps else 0.0


def read_reference(path: Path) -> dict[int, list[Box]]:
    """Return frame -> faces."""
    rows = json.loads(path.read_text())["det"]
    return {frame: [Box(*map(round, box)) for box, _ in faces] for frame, *faces in rows}


def table(rows: list[dict[str, Any]]) -> str:
    """Return the clips as Markdown."""
    names = ("face", "haar")
    heads = ["clip", "reference", *(f"`{name}` found / other, tracks, CPU ms, jitter" for name in names)]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    for row in rows:
        cells = [
            f"{one['found']} / {one['other']}, {one['tracks']}, {one['cpu_ms']:.2f}, {one['jitter']:.2f}"
            for one in (row[name] for name in names)
        ]
        lines.append(f"| {row['clip']} | {row['reference']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--networks", type=Path, default=FOLDER)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    files = [arguments.networks / f"{name}.tflite" for name in (PROPOSER, REFINER)]
    ways: dict[str, Callable[[], Search]] = {
        "face": lambda: NetworkSearch(open_finder(*files), segmentation("static", SMALLEST)),
        "haar": lambda: SpreadSearch(HaarCascade(SMALLEST), segmentation("static", SMALLEST)),
    }
    rows: list[dict[str, Any]] = []
    for path in sorted(arguments.videos.glob("*.yunet.json")):
        clip, reference = path.with_name(path.name.removesuffix(".yunet.json")), read_reference(path)
        known = sum(len(faces) for frame, faces in reference.items() if frame < arguments.frames)
        row: dict[str, Any] = {"clip": clip.name, "reference": known}
        for name, way in ways.items():
            row[name] = dataclasses.asdict(follow(way(), clip, arguments.frames, reference))
        rows.append(row)
    networks = {file.stem: file_hash(file) for file in files}
    document = {"machine": describe_machine(), "networks": networks, "frames": arguments.frames, "clips": rows}
    arguments.out.write_text(json.dumps(document, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
