#!/usr/bin/env python3
"""Find the limits of `fer_edge.device.tracking.quality`, and what calling faces uncertain by them gains.

    benchmarks/wild/quality.py --fer2013 fer2013.csv --ferplus fer2013new.csv --ckplus ckplus48.zip --photos FOLDER
    benchmarks/wild/quality.py --table       write the tables of docs/wild.md from the kept result

Faces are taken as they are, and made small, dark, blurred or covered by random amounts. One half of them, by digest,
says from which measure on the model is wrong of two faces in five: that is the limit. Where there is no such measure
(turned, covered), the limit is what one face in a hundred as they are does not reach. The other half, and the set
``aligned``, which has no part in that, say how often the model is wrong with and without the uncertain faces.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from figures import over_expressions
from numpy.typing import NDArray
from page import keep, origin, write_table
from sets import ALIGNED, read_ferplus
from tilts import find, framed, pictures

from fer_edge.device.detection.face import FaceNetworks, box_of
from fer_edge.device.opencv import cv2
from fer_edge.device.results import UNCERTAIN
from fer_edge.device.tracking import quality
from fer_edge.errors import FerEdgeError
from fer_edge.faces.crop import Refined
from fer_edge.model_file import file_hash
from fer_edge.preprocess import face_to_input
from fer_edge.runtime import TFLiteModel
from fer_edge.shipped import DEFAULT, shipped_models
from fer_edge.train.faces.covers import cover

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "benchmarks" / "results" / "wild" / "quality.json"
AS_IS = "as they are"
WRONG = 0.4
"""Share of wrong labels that makes a limit; of clear faces it is half as large."""
WINDOW = 80
"""Faces whose mean error counts, in the order of a measure."""
BY_COST, COST = ("turned", "covered"), 0.01
"""Reasons whose measure has no such place, and the share of faces as they are that each may cost instead."""
EVERY_DEGRADED = 3
EVERY_FERPLUS = 2
SENSOR_NOISE = 2.0
"""Standard deviation of the noise of a dark picture, in levels."""

Grey = NDArray[np.uint8]


@dataclasses.dataclass(frozen=True)
class Judged:
    """A face that was found: how it was changed, whether the label was wrong, its score and measures."""

    change: str
    calibrates: bool
    aligned: bool
    wrong: bool
    score: float
    measures: tuple[float, ...]

    @property
    def reason(self) -> str | None:
        """Why it is uncertain, if it is for its quality."""
        return quality.reason_of(quality.levels_of(self.measures))


def changed(
    grey: Grey, face: Refined, rng: np.random.Generator
) -> Iterator[tuple[str, Grey, tuple[float, float, float]]]:
    """Yield ways of changing a face: name, picture, and the square where the face is then."""
    look = face.look
    square = look.x, look.y, look.side
    for _ in range(2):
        factor = float(rng.uniform(8, 40)) / look.side
        small = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        yield "small", np.asarray(small, np.uint8), (look.x * factor, look.y * factor, look.side * factor)
        dark = grey * np.exp(rng.uniform(np.log(0.03), np.log(0.6))) + rng.normal(0, SENSOR_NOISE, grey.shape)
        yield "dark", np.clip(dark, 0, 255).astype(np.uint8), square
        blurred = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.01, 0.09) * look.side)
        yield "blurred", np.asarray(blurred, np.uint8), square
        covered = grey.copy()
        cover(covered, np.array(square, np.float32), face.landmarks, rng)
        yield "covered", covered, square


class Judge:
    """Looks at a face of known place, and says whether the model is right."""

    def __init__(self, model: TFLiteModel) -> None:
        self._model = model
        self.detector = FaceNetworks()

    def look(self, grey: Grey, square: tuple[float, float, float]) -> Refined | None:
        """Return the face at a square, None where the detector would find none."""
        found = self.detector.finder.judge(grey, np.array([[*square, 0.9]], np.float32))
        return found[0] if found else None

    def judge(self, grey: Grey, face: Refined, label: int, change: str, calibrates: bool, aligned: bool) -> Judged:
        """Return what the device would say of the face, its crop upright."""
        landmarks = tuple((float(x), float(y)) for x, y in face.landmarks)
        box = box_of(face.look)
        crop = face_to_input(grey, box, self._model.info.input_size, landmarks)
        scores = over_expressions(self._model.predict(crop[None]), self._model.info.labels)[0]
        measures = quality.measures(crop, box, landmarks)
        wrong = int(scores.argmax()) != label
        return Judged(change, calibrates, aligned, wrong, float(scores.max()), measures)


def judge_all(wanted: argparse.Namespace, model: TFLiteModel) -> list[Judged]:
    """Return all faces that are found, as they are and changed."""
    judge, rng = Judge(model), np.random.default_rng(0)
    sets = pictures(wanted.ckplus, wanted.photos)
    ferplus = read_ferplus(wanted.fer2013, wanted.ferplus)
    crops = zip(ferplus.crops[::EVERY_FERPLUS], ferplus.labels[::EVERY_FERPLUS].tolist(), strict=True)
    sets[ferplus.name] = [(framed(crop), label) for crop, label in crops]
    found = []
    for name, items in sets.items():
        for number, (grey, label) in enumerate(items):
            square = _square(judge.detector, grey, whole=name not in ("CK+", "FER+"))
            face = square and judge.look(grey, square)
            if not face:
                continue
            calibrates = name != ALIGNED and hashlib.sha256(grey.tobytes()).digest()[0] % 2 == 0
            found.append(judge.judge(grey, face, label, AS_IS, calibrates, name == ALIGNED))
            for change, picture, place in changed(grey, face, rng) if number % EVERY_DEGRADED == 0 else ():
                again = judge.look(picture, place)
                if again:
                    found.append(judge.judge(picture, again, label, change, calibrates, name == ALIGNED))
    return found


def _square(detector: FaceNetworks, grey: Grey, whole: bool) -> tuple[float, float, float] | None:
    """Return where the face is: found in a whole picture, in the middle of a crop with a border."""
    if whole:
        detection = find(detector, grey)
        if detection is None:
            return None
        x, y, w, h = detection.box
        return x + w / 2, y + h / 2, (w + h) / 2
    height, width = grey.shape
    return width / 2 - 0.5, height / 2 + 2, 0.47 * width


def limits(found: list[Judged]) -> dict[str, float | None]:
    """Return for each reason the measure at which `WRONG` of the calibrating faces are wrong, or that costs `COST`."""
    result: dict[str, float | None] = {}
    for index, reason in enumerate(quality.REASONS):
        sign = -1 if reason == "turned" else 1  # there more is worse
        kinds = (AS_IS,) if reason in BY_COST else (AS_IS, reason)
        own = [f for f in found if f.calibrates and f.change in kinds]
        own.sort(key=lambda f: sign * f.measures[index])
        wrong = np.convolve([f.wrong for f in own], np.ones(WINDOW) / WINDOW, "valid")
        first_right = int((wrong < WRONG).argmax())  # what lies beyond it is chance
        place = round(COST * len(own)) if reason in BY_COST else first_right + WINDOW // 2
        result[reason] = round(own[place].measures[index], 3) if place > WINDOW // 2 or reason in BY_COST else None
    return result


def gain(found: list[Judged], chosen: Callable[[Judged], bool]) -> dict[str, Any]:
    """Return how often the model is wrong of some faces: of all, of those sure or of good quality, of both."""
    faces = [f for f in found if chosen(f)]
    sure = [f for f in faces if f.score >= UNCERTAIN]
    good = [f for f in faces if f.reason is None]
    certain = [f for f in sure if f.reason is None]

    def wrong(some: list[Judged]) -> float | None:
        return round(float(np.mean([f.wrong for f in some])), 4) if some else None

    return {
        "faces": len(faces),
        "wrong": wrong(faces),
        "wrong_of_sure": wrong(sure),
        "wrong_of_good": wrong(good),
        "wrong_of_certain": wrong(certain),
        "lost_by_reason": round(1 - len(good) / max(len(faces), 1), 4),
        "lost": round(1 - len(certain) / max(len(faces), 1), 4),
        "reasons": {reason: sum(f.reason == reason for f in faces) for reason in quality.REASONS},
        "wrong_by_reason": {reason: wrong([f for f in faces if f.reason == reason]) for reason in quality.REASONS},
    }


def summarise(found: list[Judged]) -> dict[str, Any]:
    """Return the gain on the half that did not calibrate, and on the set that has no part in it."""
    kept = [f for f in found if not f.calibrates and not f.aligned]
    groups = {change: gain(kept, lambda f, c=change: f.change == c) for change in (AS_IS, *quality.REASONS)}
    groups = {name: group for name, group in groups.items() if group["faces"]}
    return {**groups, ALIGNED: gain(found, lambda f: f.aligned and f.change == AS_IS)}


def table(result: dict[str, Any]) -> str:
    """Return what calling faces uncertain gains."""
    lines = [
        "| faces | number | wrong | wrong, of good quality | left out for quality | wrong of these |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, group in result["gain"].items():
        out = sum(group["reasons"].values())
        wrong = sum((group["wrong_by_reason"][r] or 0) * n for r, n in group["reasons"].items()) / max(out, 1)
        shares = [group["wrong"], group["wrong_of_good"], group["lost_by_reason"], wrong if out else None]
        cells = " | ".join("" if share is None else f"{100 * share:.1f} %" for share in shares)
        lines.append(f"| {name} | {group['faces']} | {cells} |")
    return "\n".join([*lines, "", f"Model `{result['model']['name']}`. {origin(result)}"])


def main() -> None:
    """Measure, or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--fer2013", "--ferplus", "--ckplus", "--photos"):
        parser.add_argument(option, type=Path)
    parser.add_argument("--model", default=DEFAULT, help="shipped model or file")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--table", action="store_true")
    wanted = parser.parse_args()
    if wanted.table:
        write_table("quality", table(json.loads(RESULT.read_text())))
        return
    if not all((wanted.fer2013, wanted.ferplus, wanted.ckplus, wanted.photos)):
        parser.error("give --fer2013, --ferplus, --ckplus and --photos, or --table")
    cv2.setNumThreads(1)
    path = shipped_models().get(wanted.model, Path(wanted.model))
    found = judge_all(wanted, TFLiteModel(path))
    facts = {
        "model": {"name": path.stem, "sha256": file_hash(path)},
        "limits_found": limits(found),
        "limits_used": dict(zip(quality.REASONS, quality.LIMITS, strict=True)),
        "gain": summarise(found),
    }
    document = keep(
        wanted.out, "benchmarks/wild/quality.py --fer2013 CSV --ferplus CSV --ckplus ZIP --photos DIR", facts
    )
    print(json.dumps(document["limits_found"]), json.dumps(document["limits_used"]))
    print(table(document))


if __name__ == "__main__":
    try:
        main()
    except FerEdgeError as error:
        raise SystemExit(f"Error: {error}") from error
