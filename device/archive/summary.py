"""What an analysis amounts to, counted part by part so that the memory does not grow with the archive."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.archive.plan import Manifest
from fer_edge.device.archive.store import Store
from fer_edge.device.archive.tables import FACES, FILES, READ, read_parts

BINS = 20
"""Of the distribution of scores, from 0 to 1."""
MINUTE_S = 60
NAMED = 20
"""Files, tracks and reasons that are listed by name."""


@dataclasses.dataclass
class Overview:
    """Counts over all rows.

    Attributes:
        labels: the expressions, in the order of the model.
        files: status -> number of files.
        failures: the first `NAMED` files that could not be read to the end, with the reason.
        frames: images and frames that were searched.
        faces: label -> number of faces.
        uncertain: faces whose label is uncertain.
        scores: faces whose score is in each of `BINS` equal intervals from 0 to 1.
        per_file: file -> label -> faces, of the `NAMED` files with the most faces.
        per_track: ``file, track`` -> label -> faces, likewise.
        minutes: faces in each minute of the videos, all of them laid over each other.
    """

    labels: tuple[str, ...]
    files: Counter[str] = dataclasses.field(default_factory=Counter)
    failures: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    frames: int = 0
    faces: Counter[str] = dataclasses.field(default_factory=Counter)
    uncertain: int = 0
    scores: NDArray[np.int64] = dataclasses.field(default_factory=lambda: np.zeros(BINS, np.int64))
    per_file: dict[str, Counter[str]] = dataclasses.field(default_factory=dict)
    per_track: dict[str, Counter[str]] = dataclasses.field(default_factory=dict)
    minutes: Counter[int] = dataclasses.field(default_factory=Counter)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready summary."""
        return {
            "files": dict(self.files),
            "frames": self.frames,
            "faces": sum(self.faces.values()),
            "labels": {label: self.faces[label] for label in self.labels},
            "uncertain": self.uncertain,
            "failures": [{"file": file, "reason": reason} for file, reason in self.failures],
        }


def summarize(store: Store, manifest: Manifest, labels: Sequence[str]) -> Overview:
    """Count the rows of all parts that are done.

    Raises:
        OutputError: a table is missing or damaged.
    """
    overview = Overview(tuple(labels))
    for table in read_parts(store, manifest, FILES):
        for row in table.to_pylist():
            overview.files[row["status"]] += 1
            overview.frames += row["frames"]
            if row["status"] != READ and len(overview.failures) < NAMED:
                overview.failures.append((row["file"], row["reason"]))
    for table in read_parts(store, manifest, FACES):
        _add_faces(overview, table)
    return overview


def _add_faces(overview: Overview, table: Any) -> None:
    columns = {name: table[name].to_pylist() for name in ("file", "track", "label", "time")}
    scores = table["score"].to_numpy()
    overview.scores += np.histogram(scores, BINS, (0, 1))[0]
    overview.uncertain += sum(table["uncertain"].to_pylist())
    overview.faces.update(columns["label"])
    files: dict[str, Counter[str]] = defaultdict(Counter)
    tracks: dict[str, Counter[str]] = defaultdict(Counter)
    for file, track, label, time in zip(*columns.values(), strict=True):
        files[file][label] += 1
        if track is not None:
            tracks[f"{file}, track {track}"][label] += 1
            overview.minutes[int(time // MINUTE_S)] += 1
    overview.per_file = _most(overview.per_file | files)
    overview.per_track = _most(overview.per_track | tracks)


def _most(counts: dict[str, Counter[str]]) -> dict[str, Counter[str]]:
    """Keep those with the most faces; a file is in one part alone, so that none is cut in two."""
    largest = sorted(counts.items(), key=lambda item: (-item[1].total(), item[0]))
    return dict(largest[:NAMED])
