"""Faces as a table: CSV with one row a face, for photos and for the loop."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence

from fer_edge.device.outputs.jsonl import Lines
from fer_edge.device.results import Face, FrameResult

COLUMNS = (
    *("file", "frame", "time", "face", "x", "y", "w", "h"),
    *("label", "score", "uncertain", "quality", "reason", "crop"),
)
"""In this order, before one column ``p_CLASS`` with the probability of each class, in the model's order."""

Cell = str | int | float


def header(labels: Sequence[str]) -> bytes:
    """Return the first line."""
    return _lines([[*COLUMNS, *(f"p_{label}" for label in labels)]])


def rows(
    labels: Sequence[str],
    faces: Iterable[Face],
    file: str = "",
    frame: int | str = "",
    time: float | str = "",
    crops: Sequence[str] = (),
) -> bytes:
    """Return a line for each face of a picture, or one without a face where there is none.

    Args:
        labels: the model's, in its order.
        faces: of the picture.
        file: that holds the picture; empty for a frame of a video or camera.
        frame: its number in the source; empty for a photo.
        time: its seconds since the source's first; empty for a photo.
        crops: files of the faces, one each; none if they are not kept.
    """
    place: list[Cell] = [file, frame, time if isinstance(time, str) else round(time, 4)]
    table: list[list[Cell]] = []
    for number, face in enumerate(faces):
        said: list[Cell] = [face.label, round(face.score, 4), int(face.uncertain)]
        said += [round(face.quality, 2), face.reason or "", crops[number] if crops else ""]
        table.append([*place, face.id, *face.box, *said, *(round(face.scores[label], 4) for label in labels)])
    empty: list[Cell] = [""] * (len(COLUMNS) - len(place) + len(labels))
    return _lines(table or [[*place, *empty]])


def _lines(table: Iterable[Sequence[Cell]]) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(table)
    return stream.getvalue().encode("utf-8", "surrogateescape")


class CsvLines(Lines):
    """Writes the faces of each picture as rows; `Lines` says when and where."""

    option = "--csv"

    def __init__(
        self, target: str, labels: Sequence[str], *, live: bool = False, stop: Callable[[], bool] = lambda: False
    ) -> None:
        """Open the output; `labels` are the model's, the rest as in `Lines`."""
        super().__init__(target, live=live, stop=stop)
        self._labels = labels
        self.put(b"")  # the head, also where no picture follows

    def head(self) -> bytes:
        """Return the names of the columns."""
        return header(self._labels)

    def encode(self, result: FrameResult) -> bytes:
        """Return the rows of a picture."""
        return rows(self._labels, result.faces, result.frame.file or "", result.index, result.time)
