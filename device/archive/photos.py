"""Many photos, one after the other: found in folders, read, and what they show written down."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fer_edge.device.outputs.copies import Copies, Crops
from fer_edge.device.outputs.table import CsvLines, rows
from fer_edge.device.reader import FaceReader
from fer_edge.device.results import Face
from fer_edge.device.sources.folder import is_photo, read_photo, within_memory
from fer_edge.errors import SourceError
from fer_edge.images import SUFFIXES


def list_photos(paths: Sequence[Path], *, recursive: bool = False, but: Iterable[Path] = ()) -> list[Path]:
    """Return the photos that are named, and those of the folders that are, each folder's in the order of their names.

    Args:
        paths: photos and folders.
        recursive: look into the folders inside as well, hidden ones left out.
        but: folders that are left out, such as one for results.

    Raises:
        SourceError: a folder has no photo.
    """
    photos: list[Path] = []
    skipped = {folder.resolve() for folder in but}
    for path in paths:
        if not path.is_dir():
            photos.append(path)
            continue
        found = [file for file in _files(path, recursive, skipped) if is_photo(file)]
        if not found:
            deeper = "" if recursive else "; --recursive looks into the folders inside"
            raise SourceError(f"{path}: expected photos ({' '.join(SUFFIXES)}), found none{deeper}")
        photos += found
    return photos


def _files(folder: Path, recursive: bool, skipped: set[Path]) -> Iterator[Path]:
    for inside, folders, files in os.walk(folder):
        here = Path(inside)
        shown = sorted(name for name in folders if not name.startswith("."))
        folders[:] = [name for name in shown if (here / name).resolve() not in skipped] if recursive else []
        yield from (here / name for name in sorted(files) if not name.startswith("."))


@dataclasses.dataclass(frozen=True)
class PhotoResult:
    """What a photo shows.

    Attributes:
        file: as it was named.
        faces: left to right.
        crops: files of the faces, one each; empty if they are not kept.
    """

    file: Path
    faces: tuple[Face, ...]
    crops: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary; ``crop`` is in it where the faces are kept."""
        faces = [face.to_dict() for face in self.faces]
        for face, crop in zip(faces, self.crops, strict=False):
            face["crop"] = str(crop)
        return {"file": str(self.file), "faces": faces}


class PhotoRun:
    """Reads photos, and writes copies, crops and a table of what they show; a context manager.

    Attributes:
        photos: photos that were read.
        faces: in them.
        without: photos without a face.
    """

    def __init__(
        self,
        reader: FaceReader,
        photos: Sequence[Path],
        *,
        out: Path | None = None,
        crops: Path | None = None,
        csv: str | None = None,
        min_quality: float = 0.0,
    ) -> None:
        """Open what is written.

        Args:
            reader: finds the faces.
            photos: all that will be read; none of them is ever replaced.
            out: folder of copies with the faces drawn in, or None.
            crops: folder of the faces, or None.
            csv: file of the table, ``-`` for standard output, or None.
            min_quality: faces of a lower quality, 0..1, are left out.

        Raises:
            OutputError: the table cannot be written.
            OSError: a folder cannot be made.
        """
        self.photos = self.faces = self.without = 0
        self._reader, self._min_quality = reader, min_quality
        self._copies = Copies(out, photos) if out else None
        self._crops = Crops(crops, photos) if crops else None
        self._table = CsvLines(csv, reader.labels) if csv else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._table:
            self._table.close()

    def read(self, photo: Path) -> PhotoResult:
        """Return what a photo shows, after writing it.

        Raises:
            SourceError: it cannot be read.
            OutputError: a result cannot be written.
        """
        with within_memory(photo):
            bgr = read_photo(photo)
            faces = tuple(face for face in self._reader.read(bgr) if face.quality >= self._min_quality)
            crops = self._crops.save(photo, bgr, faces) if self._crops else ()
            if self._copies:
                self._copies.save(photo, bgr, faces)
        if self._table:
            names = [str(crop) for crop in crops]
            self._table.put(rows(self._reader.labels, faces, str(photo), crops=names))
        self.photos += 1
        self.faces += len(faces)
        self.without += not faces
        return PhotoResult(photo, faces, crops)
