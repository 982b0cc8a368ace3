"""The tables of an analysis: one row a face, one row a file, as Parquet."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fer_edge.device.archive.plan import Done, Manifest, Part, write_done
from fer_edge.device.archive.store import Store
from fer_edge.device.results import Face
from fer_edge.errors import OutputError
from fer_edge.lazy import require

FACES, FILES = "faces", "files"
READ, DAMAGED, UNREADABLE = "read", "damaged", "unreadable"


@dataclasses.dataclass
class Rows:
    """The rows of one part while it is worked on."""

    faces: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    files: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def add_faces(self, file: str, frame: int, time: float, faces: Iterable[Face], *, tracked: bool) -> None:
        """Add the faces of an image (frame 0, time 0) or of a frame of a video.

        Args:
            file: path or address.
            frame: number of the frame in the video, from 0.
            time: seconds since its first frame.
            faces: boxes in pixels of the file's own resolution.
            tracked: whether the numbers of the faces are identities.
        """
        for face in faces:
            x, y, w, h = face.box
            row = {"file": text(file), "frame": frame, "time": round(time, 4), "track": face.id if tracked else None}
            row |= {"x": x, "y": y, "w": w, "h": h, "label": face.label, "score": round(face.score, 4)}
            row |= {"uncertain": face.uncertain, "quality": round(face.quality, 2), "why": face.reason}
            self.faces.append(row | {column(label): round(score, 4) for label, score in face.scores.items()})

    def add_file(self, file: str, kind: str, status: str, reason: str = "", **sizes: int) -> None:
        """Add a file, with ``width``, ``height``, ``frames`` and ``faces`` as far as they are known."""
        known = {name: sizes.get(name, 0) for name in ("width", "height", "frames", "faces")}
        self.files.append({"file": text(file), "kind": kind, "status": status, "reason": text(reason)} | known)

    def done(self) -> Done:
        """Count the rows."""
        failed = sum(row["status"] != READ for row in self.files)
        return Done(len(self.files), failed, len(self.faces), sum(row["frames"] for row in self.files))


def column(label: str) -> str:
    """Return the name of the column with the probability of a label, such as ``p_happy``."""
    return f"p_{label}"


def text(name: str) -> str:
    """Return a name as text; bytes that are no UTF-8, which Parquet cannot hold, become escapes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def faces_schema(labels: Sequence[str]) -> Any:
    """Return the columns of the table of faces, a ``pyarrow.Schema``; docs/archives.md says what they hold."""
    pa = require("pyarrow", "archive")
    whole, number = pa.int32(), pa.float32()
    columns = [("file", pa.string()), ("frame", whole), ("time", pa.float64()), ("track", whole)]
    columns += [(name, whole) for name in "xywh"]
    columns += [("label", pa.string()), ("score", number), ("uncertain", pa.bool_())]
    columns += [("quality", number), ("why", pa.string())]
    return pa.schema(columns + [(column(label), number) for label in labels])


def files_schema() -> Any:
    """Return the columns of the table of files."""
    pa = require("pyarrow", "archive")
    columns = [(name, pa.string()) for name in ("file", "kind", "status", "reason")]
    return pa.schema(columns + [(name, pa.int32()) for name in ("width", "height", "frames", "faces")])


def write_part(store: Store, part: Part, rows: Rows, labels: Sequence[str]) -> Done:
    """Write the tables of a part and then its record.

    Raises:
        OutputError: they cannot be written.
    """
    pa, parquet = require("pyarrow", "archive"), require("pyarrow.parquet", "archive")
    for folder, records, schema in ((FACES, rows.faces, faces_schema(labels)), (FILES, rows.files, files_schema())):
        sink = io.BytesIO()
        parquet.write_table(pa.Table.from_pylist(records, schema=schema), sink, compression="zstd")
        store.write(f"{folder}/{part.name}.parquet", sink.getvalue())
    done = rows.done()
    write_done(store, part, done)
    return done


def read_parts(store: Store, manifest: Manifest, folder: str) -> Iterator[Any]:
    """Yield the tables of the parts that are done, in the order of the inputs, as ``pyarrow.Table``.

    Raises:
        OutputError: a table is missing or damaged.
    """
    pa, parquet = require("pyarrow", "archive"), require("pyarrow.parquet", "archive")
    for part in manifest.parts:
        if part.name not in manifest.done:
            continue
        file = f"{folder}/{part.name}.parquet"
        data = store.read(file)
        try:
            if data is None:
                raise pa.ArrowInvalid("it does not exist")
            yield parquet.read_table(io.BytesIO(data))
        except (pa.ArrowInvalid, OSError) as error:
            raise OutputError(
                f"{store.name(file)}: expected the rows of a part, but {error}; delete done/{part.name}.json there and "
                "repeat the command"
            ) from error


def write_csv(store: Store, manifest: Manifest, folder: str, schema: Any) -> None:
    """Write all rows of a table as one CSV file, ``faces.csv`` or ``files.csv``.

    Raises:
        OutputError: a table is damaged, or the file cannot be written.
    """
    csv = require("pyarrow.csv", "archive")
    with store.writing(f"{folder}.csv") as sink, csv.CSVWriter(sink, schema) as writer:
        for table in read_parts(store, manifest, folder):
            writer.write_table(table)
