#!/usr/bin/env python3
"""Measure face detectors on photos with annotated boxes, turned by 0 to 90 degrees.

    benchmarks/pipeline/tilts.py --photos DIR [--yunet FILE.onnx] [--networks DIR] --out RESULT.json

DIR holds ``annotations.json``, a list of ``{"file", "boxes", "ignore"}`` with boxes of x, y, w, h in pixels. A photo is
turned as a whole, on black. A face is found if a box overlaps one of its size about its turned centre by 0.3 or more.
A box that overlaps neither a face nor an ignored box by 0.2 is false. Prints a Markdown table as well.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.detection.cascade import HaarCascade
from fer_edge.device.detection.face import FaceNetworks
from fer_edge.device.detection.skin import Regions
from fer_edge.device.faces import iou
from fer_edge.device.frame import frame_from_bgr
from fer_edge.device.opencv import cv2
from fer_edge.faces.networks import PROPOSER, REFINER, open_finder
from fer_edge.machine import describe_machine
from fer_edge.model_file import file_hash
from fer_edge.preprocess import Box
from fer_edge.shipped import FOLDER

FOUND_IOU, NEAR_IOU = 0.3, 0.2
ANGLES = tuple(range(0, 91, 15))
YUNET_SCORE, YUNET_NMS = 0.6, 0.3
YUNET_SIDES = (160, 320, 640)

Detect = Callable[[NDArray[np.uint8]], list[Box]]


@dataclasses.dataclass
class Figures:
    """What a detector found at one angle: faces, false boxes, those of photos without faces; seconds of CPU time."""

    found: int = 0
    false: int = 0
    false_on_empty: int = 0
    seconds: float = 0.0


def detectors(yunet: Path | None, networks: Path) -> dict[str, Detect]:
    """Return name -> detector of a BGR picture."""
    face = FaceNetworks(open_finder(networks / f"{PROPOSER}.tflite", networks / f"{REFINER}.tflite"))
    haar = HaarCascade()
    everywhere = Regions((), "photo")
    found: dict[str, Detect] = {
        "haar": lambda bgr: [d.box for d in haar.detect(frame_from_bgr(bgr), everywhere)],
        "face": lambda bgr: [d.box for d in face.detect(frame_from_bgr(bgr), everywhere)],
    }
    for side in YUNET_SIDES if yunet else ():
        found[f"yunet {side}"] = _yunet(str(yunet), side)
    return found


def _yunet(model: str, side: int) -> Detect:
    network = cv2.FaceDetectorYN.create(model, "", (32, 32), YUNET_SCORE, YUNET_NMS, 200)

    def detect(bgr: NDArray[np.uint8]) -> list[Box]:
        scale = side / max(bgr.shape[:2])
        small = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        network.setInputSize(small.shape[1::-1])
        _, rows = network.detect(small)
        return [] if rows is None else [Box(*(round(float(v) / scale) for v in row[:4])) for row in rows]

    return detect


def turned(bgr: NDArray[np.uint8], degrees: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return a picture turned on black, whole, and the 2 x 3 map of its pixels."""
    height, width = bgr.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (int(height * sine + width * cosine), int(height * cosine + width * sine))
    matrix[:, 2] += np.array(size) / 2 - (width / 2, height / 2)
    return cv2.warpAffine(bgr, matrix, size), matrix


def turned_boxes(boxes: Sequence[Sequence[float]], matrix: NDArray[np.float64]) -> list[Box]:
    """Return boxes of the same size about their turned centres."""
    result = []
    for x, y, w, h in boxes:
        cx, cy = matrix @ (x + w / 2, y + h / 2, 1)
        result.append(Box(round(cx - w / 2), round(cy - h / 2), round(w), round(h)))
    return result


def judge(found: Sequence[Box], faces: Sequence[Box], ignored: Sequence[Box], figures: Figures) -> None:
    """Add what was found in one photo."""
    free = list(range(len(found)))
    for face in faces:
        best = max(free, key=lambda i: iou(found[i], face), default=None)
        if best is not None and iou(found[best], face) >= FOUND_IOU:
            free.remove(best)
            figures.found += 1
    false = sum(all(iou(found[i], known) <= NEAR_IOU for known in (*faces, *ignored)) for i in free)
    figures.false += false
    figures.false_on_empty += 0 if faces or ignored else false


def measure(photos: Path, ways: dict[str, Detect]) -> dict[str, dict[int, Figures]]:
    """Return the figures of each detector at each angle."""
    annotations = json.loads((photos / "annotations.json").read_text())
    results = {name: {angle: Figures() for angle in ANGLES} for name in ways}
    for item in annotations:
        bgr = cv2.imread(str(photos / item["file"]))
        for angle in ANGLES:
            picture, matrix = turned(bgr, angle) if angle else (bgr, np.eye(2, 3))
            faces = turned_boxes(item["boxes"], matrix)
            ignored = turned_boxes(item.get("ignore", []), matrix)
            for name, detect in ways.items():
                start = time.process_time()
                found = detect(picture)
                results[name][angle].seconds += time.process_time() - start
                judge(found, faces, ignored, results[name][angle])
    return results


def table(results: dict[str, dict[int, Figures]]) -> str:
    """Return found and false faces as Markdown."""
    lines = ["| detector | " + " | ".join(f"{angle}°" for angle in ANGLES) + " |", "|---" * (len(ANGLES) + 1) + "|"]
    for name, by_angle in results.items():
        cells = [f"{figures.found} / {figures.false}" for figures in by_angle.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--yunet", type=Path)
    parser.add_argument("--networks", type=Path, default=FOLDER)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    results = measure(arguments.photos, detectors(arguments.yunet, arguments.networks))
    document: dict[str, Any] = {
        "machine": describe_machine(),
        "networks": {name: file_hash(arguments.networks / f"{name}.tflite") for name in (PROPOSER, REFINER)},
        "results": {n: {str(a): dataclasses.asdict(f) for a, f in by.items()} for n, by in results.items()},
    }
    arguments.out.write_text(json.dumps(document, indent=1) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
