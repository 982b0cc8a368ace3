"""Zip files of data sets: their names as they were meant, and never more unpacked than a member is good for."""

from __future__ import annotations

import lzma
import zipfile
from pathlib import Path, PurePosixPath

from fer_edge.errors import DataError
from fer_edge.model_file import ZIP_DAMAGE
from fer_edge.text import printable

LARGEST_IMAGE_BYTES = 64 << 20
"""Of an image or a list of labels in a zip; the photo of a telephone has 12 MB."""
MAX_DEPTH = 32
"""Folders inside each other; a name with more is no data set's."""

_METHODS = {9: "Deflate64", 93: "Zstandard", 95: "XZ", 98: "PPMd", 99: "AES encryption"}
_READABLE = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA})
_UTF8_NAME = 0x800
_ENCRYPTED = 1
# Deflate unpacks as much as is asked for. The others unpack all that a piece holds, so they get small pieces.
_PIECE_BYTES = {zipfile.ZIP_STORED: 1 << 20, zipfile.ZIP_DEFLATED: 1 << 20}
_SMALL_PIECE_BYTES = 1 << 12


def open_zip(root: Path) -> zipfile.ZipFile:
    """Open a zip file.

    Raises:
        DataError: it is none, torn, encrypted, or packed in a way that Python cannot unpack.
    """
    try:
        archive = zipfile.ZipFile(root)
    except ZIP_DAMAGE as error:
        raise DataError(f"{root}: expected a folder or a zip file of pictures, found another or a torn one") from error
    for entry in archive.infolist():
        unpack = "unpack it with 7-Zip or unzip and give the folder"
        if entry.flag_bits & _ENCRYPTED:
            archive.close()
            raise DataError(f"{root}: expected a zip without a password, but {_shown(entry)} is encrypted; {unpack}")
        if entry.compress_type not in _READABLE:
            method = _METHODS.get(entry.compress_type, f"number {entry.compress_type}")
            archive.close()
            raise DataError(
                f"{root}: expected the compression that every zip tool knows, found {method} in {_shown(entry)}; "
                f"{unpack}"
            )
    return archive


def path_of(entry: zipfile.ZipInfo, root: Path) -> PurePosixPath:
    """Return a member's path, whatever tool wrote the name.

    Windows tools write backslashes. macOS writes UTF-8 without saying so, and Python then takes it for code page 437.

    Raises:
        DataError: more folders inside each other than `MAX_DEPTH`.
    """
    name = entry.filename
    if not entry.flag_bits & _UTF8_NAME and not name.isascii():
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = entry.filename
    name = name.replace("\\", "/")
    if name.count("/") > MAX_DEPTH:
        raise DataError(
            f"{root}: expected at most {MAX_DEPTH} folders inside each other, found {name.count('/')} in "
            f"{_shown(entry)}; this is no data set"
        )
    return PurePosixPath(name)


def read_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int, where: str) -> bytes:
    """Unpack a member, never more than `limit` bytes of it.

    Raises:
        DataError: it is larger, or damaged.
    """
    piece = _PIECE_BYTES.get(entry.compress_type, _SMALL_PIECE_BYTES)
    data = bytearray()
    try:
        if entry.file_size <= limit:
            with archive.open(entry) as member:
                while len(data) <= limit and (more := member.read(piece)):
                    data += more
    except (*ZIP_DAMAGE, lzma.LZMAError, OSError) as error:  # OSError is bzip2's, among others
        raise DataError(f"{where}: cannot be read from the zip ({error}); fetch it again") from error
    if max(entry.file_size, len(data)) > limit:
        raise DataError(
            f"{where}: expected at most {limit >> 20} MB, found more when it is unpacked; this is no image of a face"
        )
    return bytes(data)


def _shown(entry: zipfile.ZipInfo) -> str:
    return f"'{printable(entry.filename, 80)}'"
