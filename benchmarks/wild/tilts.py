#!/usr/bin/env python3
"""Measure what upright crops gain on tilted faces.

    benchmarks/wild/tilts.py --ckplus ckplus48.zip --photos FOLDER [--model NAME]... [--out RESULT.json]
    benchmarks/wild/tilts.py --table       write the table of docs/wild.md from the kept result

CK+ and the photos of --photos (labels.csv of file,label,set) are turned by 0, 15, 30 and 45 degrees, every second one
to the other side, on their own border. The two networks of ``--detector face`` look for the face. Those found at every
tilt are judged by the same model twice: cut out by the detector's box, and upright by its landmarks.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
from figures import figures, over_expressions
from numpy.typing import NDArray
from page import keep, origin, write_table
from sets import read_ckplus, read_pictures

from fer_edge.device.detection.face import FaceNetworks
from fer_edge.device.detection.skin import Regions
from fer_edge.device.faces import Detection
from fer_edge.device.frame import frame_from_bgr
from fer_edge.device.opencv import cv2
from fer_edge.errors import FerEdgeError
from fer_edge.model_file import file_hash
from fer_edge.preprocess import face_to_input
from fer_edge.runtime import TFLiteModel
from fer_edge.shipped import FOLDER, shipped_models

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "benchmarks" / "results" / "wild" / "tilts.json"
ANGLES = (0, 15, 30, 45)
SHARE, CROP_SIDE = 0.5, 144
"""CK+ has crops alone: they become 144 pixels wide, and their border goes on for half of that on each side."""


def pictures(ckplus: Path, photos: Path) -> dict[str, list[tuple[NDArray[np.uint8], int]]]:
    """Return set -> grey pictures with a label each; of CK+ every second, whose three frames are nearly the same."""
    faces = read_ckplus(ckplus)
    cropped = [framed(crop) for crop in faces.crops[::2]]
    sets = {faces.name: list(zip(cropped, faces.labels[::2].tolist(), strict=True))}
    for name, listed in read_pictures(photos).items():
        sets[name] = [(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), label) for path, label in listed]
    return sets


def framed(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture of `CROP_SIDE` pixels and more that shows a crop in its middle."""
    large = cv2.resize(crop, (CROP_SIDE, CROP_SIDE), interpolation=cv2.INTER_CUBIC)
    margin = round(CROP_SIDE * SHARE)
    return np.asarray(cv2.copyMakeBorder(large, *(margin,) * 4, cv2.BORDER_REPLICATE), np.uint8)


def turned(grey: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    """Return a picture turned about its middle, its border going on outside of it."""
    height, width = grey.shape
    matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1)
    return np.asarray(cv2.warpAffine(grey, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def find(detector: FaceNetworks, grey: NDArray[np.uint8]) -> Detection | None:
    """Return the widest face about the middle, None where there is none."""
    found = detector.detect(frame_from_bgr(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)), Regions((), "photo"))
    height, width = grey.shape

    def rank(face: Detection) -> float:
        x, y, w, h = face.box
        return w - math.hypot(x + w / 2 - width / 2, y + h / 2 - height / 2)

    return max(found, key=rank) if found else None


Found = dict[str, tuple[list[list[tuple[NDArray[np.uint8], Detection]]], NDArray[np.int64]]]
"""Set -> of each face that is found at every tilt the picture and the face at each of them, and the labels."""


def find_all(sets: dict[str, list[tuple[NDArray[np.uint8], int]]]) -> tuple[Found, dict[str, list[int]]]:
    """Return the faces that are found at every tilt, and how many are at each."""
    detector = FaceNetworks()
    everywhere: Found = {}
    counts: dict[str, list[int]] = {}
    for name, items in sets.items():
        faces, labels, count = [], [], np.zeros(len(ANGLES), int)
        for number, (grey, label) in enumerate(items):
            side = 1 if number % 2 else -1
            seen = [(picture, find(detector, picture)) for picture in (turned(grey, side * a) for a in ANGLES)]
            found = [(picture, face) for picture, face in seen if face is not None]
            count += [face is not None for _, face in seen]
            if len(found) == len(ANGLES):
                faces.append(found)
                labels.append(label)
        everywhere[name] = faces, np.array(labels, np.int64)
        counts[name] = [len(items), *count.tolist()]
    return everywhere, counts


def judge(model: TFLiteModel, found: Found) -> dict[str, Any]:
    """Return way of cutting -> set -> top-1 and mean recall at each tilt."""
    result: dict[str, Any] = {}
    for way in ("box", "upright"):
        result[way] = {}
        for name, (faces, labels) in found.items():
            rows = []
            for tilt in range(len(ANGLES)):
                crops = [
                    face_to_input(
                        picture, face.box, model.info.input_size, face.landmarks if way == "upright" else None
                    )
                    for picture, face in (each[tilt] for each in faces)
                ]
                got = figures(over_expressions(model.predict(np.stack(crops)), model.info.labels), labels)
                rows.append({"top1": got["top1"], "mean_recall": got["mean_recall"]})
            result[way][name] = rows
        result[way]["mean_top1"] = [
            round(float(np.mean([result[way][name][tilt]["top1"] for name in found])), 4) for tilt in range(len(ANGLES))
        ]
    return result


def table(result: dict[str, Any]) -> str:
    """Return the top-1 of each model at each tilt, by box and upright."""
    sets = [f"{name} {found['judged']}" for name, found in result["sets"].items()]
    lines = [
        f"Mean of the sets' top-1, percent; faces found at every tilt: {', '.join(sets)}.",
        "",
        f"| model | crop | {' | '.join(f'{angle}°' for angle in result['angles'])} |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for name, found in result["models"].items():
        for way in ("box", "upright"):
            cells = " | ".join(f"{100 * value:.1f}" for value in found[way]["mean_top1"])
            lines.append(f"| `{name}` | {way} | {cells} |")
    return "\n".join([*lines, "", origin(result)])


def main() -> None:
    """Measure, or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ckplus", type=Path)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--model", action="append", help="shipped model or file; default: all shipped ones")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--table", action="store_true")
    wanted = parser.parse_args()
    if wanted.table:
        write_table("tilts", table(json.loads(RESULT.read_text())))
        return
    if not (wanted.ckplus and wanted.photos):
        parser.error("give --ckplus and --photos, or --table")
    cv2.setNumThreads(1)
    found, counts = find_all(pictures(wanted.ckplus, wanted.photos))
    shipped = shipped_models()
    models = {}
    for name in wanted.model or shipped:
        print(name, file=sys.stderr, flush=True)
        path = shipped.get(name, Path(name))
        models[path.stem] = {"sha256": file_hash(path), **judge(TFLiteModel(path), found)}
    facts = {
        "detector": {p.stem: file_hash(p) for p in (FOLDER / "face-proposer.tflite", FOLDER / "face-refiner.tflite")},
        "angles": ANGLES,
        "sets": {
            name: {"images": counts[name][0], "found": counts[name][1:], "judged": len(found[name][1])}
            for name in found
        },
        "models": models,
    }
    document = keep(wanted.out, "benchmarks/wild/tilts.py --ckplus ZIP --photos DIR", facts)
    print(table(document))


if __name__ == "__main__":
    try:
        main()
    except FerEdgeError as error:
        raise SystemExit(f"Error: {error}") from error
