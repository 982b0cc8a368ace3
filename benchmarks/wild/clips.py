"""What the device loop shows in clips of which a viewer said which labels would do.

``plausible.json`` holds, for each clip, ranges of frames (first, last or null for the end, both inclusive) with the
labels that are acceptable for every face in them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fer_edge.device.detection.choice import HAAR, DetectorChoice
from fer_edge.device.pipeline import Pipeline
from fer_edge.device.sources import open_source
from fer_edge.errors import DataError
from fer_edge.runtime import TFLiteModel

FLICKER = 1.0
"""Seconds; a label that shows for less is a flicker to who looks."""

Ranges = list[tuple[int, int | None, list[str]]]


def read_plausible(folder: Path) -> dict[str, Ranges]:
    """Return clip -> ranges of frames with their acceptable labels, for the clips that lie in `folder`.

    Raises:
        DataError: no such list, or none of its clips is there.
    """
    path = folder / "plausible.json"
    try:
        listed = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: expected the labels that a viewer would accept, cannot read them ({error})"
        ) from error
    found = {name: ranges for name, ranges in listed.items() if isinstance(ranges, list) and (folder / name).exists()}
    if not found:
        raise DataError(f"{path}: expected clips of this list in {folder}, found none")
    return found


def acceptable(ranges: Ranges, frame: int) -> list[str]:
    """Return the labels that will do in a frame."""
    return next((labels for first, last, labels in ranges if first <= frame <= (frame if last is None else last)), [])


@dataclasses.dataclass
class Shown:
    """What a track shows: its label, since when, when last, and whether the change to it was called false."""

    label: str
    since: float
    last: float
    false: bool = True  # the first label is no change, so nothing can make it a false one


def judge(shown: Iterable[tuple[int, float, Mapping[int, str]]], ranges: Ranges) -> dict[str, Any]:
    """Count what was shown in a clip.

    A change of a track's label is false if the new label will not do where it appears, or if it gives way again within
    `FLICKER` seconds, however well it would do.

    Args:
        shown: of each frame its number, its time in seconds, and track -> label.
        ranges: of `read_plausible`.

    Returns:
        JSON-ready: faces (each frame's counted), those with a plausible label, seconds of faces, changes of label of
        a track, and the false ones of these.
    """
    counts = {"faces": 0, "plausible": 0, "changes": 0, "false_changes": 0}
    seconds = 0.0
    tracks: dict[int, Shown] = {}
    for frame, time, labels in shown:
        allowed = acceptable(ranges, frame)
        for track, label in labels.items():
            before = tracks.setdefault(track, Shown(label, time, time))
            counts["faces"] += 1
            counts["plausible"] += label in allowed
            seconds += time - before.last
            before.last = time
            if label != before.label:
                flickered = not before.false and time - before.since < FLICKER
                counts["changes"] += 1
                counts["false_changes"] += flickered + (label not in allowed)
                tracks[track] = Shown(label, time, time, label not in allowed)
    return {**counts, "seconds": round(seconds, 2)}


def watch(path: Path, model: TFLiteModel, choice: DetectorChoice = HAAR) -> Iterator[tuple[int, float, dict[int, str]]]:
    """Run the device loop on a clip, with a detector; yield of each frame its number, its time, and track -> label."""
    source = open_source(str(path))
    try:
        with Pipeline(source, [model], detector=choice.open()) as pipeline:
            for result in pipeline:
                yield result.index, result.time, {face.id: face.label for face in result.faces}
    finally:
        source.close()


def measure_clips(
    folder: Path, model: TFLiteModel, progress: Callable[[str], None], choice: DetectorChoice = HAAR
) -> dict[str, Any]:
    """Return the figures of all clips, and of the clips together."""
    clips = {}
    for name, ranges in read_plausible(folder).items():
        progress(name)
        clips[name] = judge(watch(folder / name, model, choice), ranges)
    total = {key: sum(found[key] for found in clips.values()) for key in next(iter(clips.values()))}
    return {"clips": clips, **rates(total)}


def rates(total: dict[str, Any]) -> dict[str, Any]:
    """Return the share of plausible labels and the changes a minute of a face."""
    minutes = total["seconds"] / 60
    return {
        "faces": total["faces"],
        "plausible": round(total["plausible"] / total["faces"], 4) if total["faces"] else None,
        "changes_per_minute": round(total["changes"] / minutes, 2) if minutes else None,
        "false_changes_per_minute": round(total["false_changes"] / minutes, 2) if minutes else None,
    }
