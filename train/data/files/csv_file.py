"""A CSV file as it lies there: plain or compressed, in a zip, a tar or a folder, in UTF-8 or UTF-16.

Nothing is unpacked to disk, and never more is read than such a file can hold.
"""

from __future__ import annotations

import bz2
import codecs
import contextlib
import csv
import dataclasses
import functools
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from fer_edge.errors import DataError
from fer_edge.images import kind_of
from fer_edge.model_file import ZIP_DAMAGE
from fer_edge.text import printable

LARGEST_BYTES = 1 << 30
"""Unpacked; FER2013 has 301 MB."""
LONGEST_LINE = 1 << 20
"""Characters of a line; an image of FER2013 has about 8,500."""
MOST_EMPTY_LINES = 100_000
DAMAGE = (*ZIP_DAMAGE, tarfile.TarError, gzip.BadGzipFile, lzma.LZMAError, OSError)
"""What opening or unpacking a damaged file raises."""

_COMPRESSED: dict[bytes, Callable[[Path], io.BufferedIOBase]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}
_FOREIGN = {
    b"Rar!": "a RAR archive; unpack it and give the folder",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it and give the folder",
    b"\x28\xb5\x2f\xfd": "a file compressed with Zstandard; unpack it with zstd -d",
    b"PAR1": "a Parquet file; save it as CSV or as a folder of images for each class",
    b"\x89HDF": "an HDF5 file; save it as CSV or as a folder of images for each class",
    b"\x93NUMPY": "a NumPy file; save it as CSV or as a folder of images for each class",
}
_DELIMITERS = ",;\t"


Bytes = IO[bytes] | io.BufferedIOBase


@dataclasses.dataclass(frozen=True)
class CsvFile:
    """One CSV file, wherever it lies.

    Attributes:
        where: what messages call it, such as ``archive.zip/fer2013.csv``.
        name: its own name.
        size: bytes when unpacked, for progress; a guess where nothing says it.
        open: opens it for its unpacked bytes.
    """

    where: str
    name: str
    size: int
    open: Callable[[], contextlib.AbstractContextManager[Bytes]]

    @contextlib.contextmanager
    def rows(self, advance: Callable[[int], None] = lambda count: None) -> Iterator[CsvRows]:
        """Open it for its rows.

        Raises:
            DataError: it is no text, torn, or larger than `LARGEST_BYTES`.
        """
        with contextlib.ExitStack() as stack:
            with unpacking(self.where):
                raw = stack.enter_context(self.open())
            head = io.BufferedReader(_Bounded(raw, self.where))
            begin = head.peek(64)[:64]
            self._refuse_foreign(begin)
            text = io.TextIOWrapper(head, encoding=_encoding(begin), errors="replace", newline="")
            with contextlib.closing(text):
                yield CsvRows(self, text, advance)

    @functools.cached_property
    def header(self) -> list[str]:
        """Return the names of the columns as they are written, without spaces around them."""
        with self.rows() as rows:
            return rows.header

    def _refuse_foreign(self, begin: bytes) -> None:
        for start, what in _FOREIGN.items():
            if begin.startswith(start):
                raise DataError(f"{self.where}: expected a CSV file, a folder or a zip, found {what}")
        if kind := kind_of(begin):
            raise DataError(
                f"{self.where}: expected a CSV file, a folder or a zip, found one {kind} file; give the folder with "
                "a folder of images for each class"
            )


class CsvRows:
    """The rows of an open CSV file: iterate it for lists of fields; `line` is the last one's line in the file."""

    def __init__(self, file: CsvFile, text: io.TextIOBase, advance: Callable[[int], None]) -> None:
        """Read the header; raises DataError for a torn one."""
        self._file, self._text, self._advance = file, text, advance
        self.line = 0
        first = next(self._lines(), "")
        delimiter = max(_DELIMITERS, key=first.count)
        try:
            self.header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
        except csv.Error as error:
            raise DataError(
                f"{file.where}: expected the names of columns in the first line, found what cannot be read ({error})"
            ) from error
        self._reader = csv.reader(self._lines(), strict=True, delimiter=delimiter)

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the fields of each row that is not empty."""
        empty = 0
        while True:
            try:
                fields = next(self._reader, None)
            except csv.Error as error:
                if "field larger" in str(error):
                    raise DataError(
                        f"{self.place()}: expected 2304 pixels (48 x 48) in a field, found a field of more than "
                        f"{csv.field_size_limit()} characters"
                    ) from error
                raise DataError(
                    f"{self.place()}: expected comma-separated fields, found a torn row ({error})"
                ) from error
            if fields is None:
                return
            if fields:
                empty = 0
                yield fields
            elif (empty := empty + 1) > MOST_EMPTY_LINES:
                raise DataError(f"{self.place()}: expected rows, found more than {MOST_EMPTY_LINES} empty lines")

    def place(self) -> str:
        """Return where the last row stands, for messages."""
        return f"{self._file.where}: row {self.line - 1} (line {self.line})"

    def _lines(self) -> Iterator[str]:
        while line := self._text.readline(LONGEST_LINE):
            self.line += 1
            if len(line) == LONGEST_LINE:
                raise DataError(
                    f"{self._file.where}: line {self.line}: expected a line of at most {LONGEST_LINE} characters, "
                    "found a longer one"
                )
            self._advance(len(line))
            yield line


@contextlib.contextmanager
def unpacking(where: object) -> Iterator[None]:
    """Raise DataError for what opening and unpacking a damaged file raises."""
    try:
        yield
    except DataError:
        raise
    except (*DAMAGE, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the system's own: a missing file, no permission
        raise DataError(f"{where}: cannot be unpacked ({error}); fetch it again") from error


def at_path(path: Path) -> CsvFile:
    """Return the CSV file at `path`, which may be compressed."""
    with path.open("rb") as file:
        start = file.read(6)
    compressed = next((opener for magic, opener in _COMPRESSED.items() if start.startswith(magic)), None)
    size = path.stat().st_size
    if compressed is None:
        return CsvFile(str(path), path.name, size, lambda: path.open("rb"))
    return CsvFile(str(path), path.name, 3 * size, lambda: compressed(path))


def in_zip(path: Path, entry: zipfile.ZipInfo) -> CsvFile:
    """Return a member of a zip file."""

    @contextlib.contextmanager
    def opened() -> Iterator[IO[bytes]]:
        with zipfile.ZipFile(path) as archive, archive.open(entry) as member:
            yield member

    name = printable(entry.filename, 120)
    return CsvFile(f"{path}/{name}", name.rsplit("/", 1)[-1], entry.file_size, opened)


def in_tar(path: Path, member: tarfile.TarInfo) -> CsvFile:
    """Return a member of a tar archive, compressed or not."""

    @contextlib.contextmanager
    def opened() -> Iterator[IO[bytes]]:
        with open_tar(path) as archive:
            file = archive.extractfile(member.name)
            if file is None:
                raise DataError(f"{path}/{printable(member.name, 120)}: expected a file, found a link or a folder")
            with file:
                yield file

    name = printable(member.name, 120)
    return CsvFile(f"{path}/{name}", name.rsplit("/", 1)[-1], member.size, opened)


def is_tar(path: Path) -> bool:
    """Say whether a file is a tar archive, compressed or not, by its first block."""
    with unpacking(path), at_path(path).open() as raw:
        return raw.read(tarfile.BLOCKSIZE)[257:262] == b"ustar"


@contextlib.contextmanager
def open_tar(path: Path) -> Iterator[tarfile.TarFile]:
    """Open a tar archive, compressed or not, whose headers cannot ask for more memory than such a header needs."""
    with at_path(path).open() as raw:
        with unpacking(path):
            archive = tarfile.open(fileobj=_SmallReads(raw, path), mode="r:")  # type: ignore[call-overload]  # noqa: SIM115
        with archive:
            yield archive


class _SmallReads:
    """What tarfile needs of a file, without reads of more than a megabyte at once: headers state their own length."""

    def __init__(self, raw: Bytes, path: Path) -> None:
        self._raw, self._path = raw, path
        self.seek, self.tell = raw.seek, raw.tell

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes."""
        if not 0 <= size <= 1 << 20:
            raise DataError(f"{self._path}: expected a tar archive of files, found a header of {size} bytes in it")
        return self._raw.read(size)


class _Bounded(io.RawIOBase):
    """Bytes of a file, refused once they are more than `LARGEST_BYTES`; read in pieces that stay small unpacked."""

    _PIECE = 1 << 13

    def __init__(self, raw: Bytes, where: str) -> None:
        self._raw, self._where, self._count = raw, where, 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read into `buffer`."""
        with unpacking(self._where):
            data = self._raw.read(min(len(buffer), self._PIECE))
        self._count += len(data)
        if self._count > LARGEST_BYTES:
            raise DataError(
                f"{self._where}: expected at most {LARGEST_BYTES >> 20} MB, found more when it is unpacked; this is no "
                "fer2013.csv"
            )
        buffer[: len(data)] = data
        return len(data)


def _encoding(begin: bytes) -> str:
    if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if begin[1:2] == b"\0" != begin[:1]:
        return "utf-16-le"
    if begin[:1] == b"\0" != begin[1:2]:
        return "utf-16-be"
    return "utf-8-sig"
