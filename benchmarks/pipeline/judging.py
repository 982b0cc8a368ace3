"""What each side found, against the reference boxes of a clip."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from sides import Run

from fer_edge.device.faces import iou
from fer_edge.preprocess import Box

MATCH = 0.4
"""Intersection over union from which two boxes are one face."""

MEETS = 0.2
"""Intersection over union below which a found face meets no reference box and is false."""


def judge(path: Path, careful: Run, ours: Run, fps: float) -> dict[str, Any]:
    """Compare both with the reference boxes of a clip.

    A face of the reference is ``confirmed`` where the careful script has a box that matches it, and then ``found`` if
    the loop has one that matches it or such a box. Two boxes of the script on one face are one face.

    Args:
        path: of the clip.
        careful: what the careful script did.
        ours: what the loop did.
        fps: pictures per second of the clip.

    Returns:
        Counts and rates; nothing if the clip has no reference.
    """
    text = path.with_name(path.name + ".yunet.json")
    if not text.exists():
        return {}
    reference = {f: [Box(*map(round, box)) for box, _ in faces] for f, *faces in json.loads(text.read_text())["det"]}
    figures: Counter[str] = Counter()
    for index, real in reference.items():
        if index >= len(ours.boxes):
            continue
        mine, theirs = ours.boxes[index], careful.boxes[index]
        figures["reference_frames"] += 1
        for face in real:
            answers = [box for box in theirs if iou(box, face) >= MATCH]
            figures["confirmed"] += bool(answers)
            figures["found"] += bool(answers) and any(_meets(box, mine, MATCH) for box in (face, *answers))
        figures["reference"] += len(real)
        figures["reference_found"] += sum(_meets(box, mine, MATCH) for box in real)
        figures["reference_found_careful"] += sum(_meets(box, theirs, MATCH) for box in real)
        figures["false"] += sum(not _meets(box, real, MEETS) for box in mine)
        figures["false_careful"] += sum(not _meets(box, real, MEETS) for box in theirs)
    minutes = figures["reference_frames"] / fps / 60
    return {
        **figures,
        "recall": figures["found"] / figures["confirmed"] if figures["confirmed"] else None,
        "false_per_minute": figures["false"] / minutes,
        "false_per_minute_careful": figures["false_careful"] / minutes,
    }


def _meets(box: Box, others: list[Box], least: float) -> bool:
    return any(iou(box, other) >= least for other in others)
