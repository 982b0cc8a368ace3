"""What an archive consists of: paths, folders, globs, lists of paths and addresses, as files in a fixed order."""

from __future__ import annotations

import dataclasses
import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from fer_edge.device.sources.folder import is_photo
from fer_edge.errors import SourceError
from fer_edge.images import is_image_name
from fer_edge.lazy import require
from fer_edge.text.address import without_secrets

VIDEOS = frozenset(
    {
        *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".3gp", ".wmv"),
        *(".flv", ".ogv", ".gif", ".mjpeg", ".mjpg", ".h264", ".hevc"),
    }
)
"""Endings of the names that are taken for videos, lower case; a GIF is one, for it may be."""
LIST_SUFFIX = ".txt"
LIST_BYTES = 256 * 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Inputs:
    """The files of an archive.

    Attributes:
        images: paths or addresses, each once, in the order in which they were named; a folder's by name.
        videos: likewise.
        others: ending -> number of files in folders that are neither.
    """

    images: tuple[str, ...]
    videos: tuple[str, ...]
    others: dict[str, int]


def find_inputs(paths: Sequence[str | os.PathLike[str]]) -> Inputs:
    """Find the images and videos that are named.

    Args:
        paths: images, videos, folders with all that is in them, globs such as ``photos/**/*.jpg``, addresses such as
            ``s3://bucket/folder``, and lists: ``.txt`` files of one of these a line, relative to the list.

    Raises:
        SourceError: a name without a file, or nothing found at all.
        MissingExtraError: an address without the package that reads it.
    """
    images: dict[str, None] = {}
    videos: dict[str, None] = {}
    others: Counter[str] = Counter()
    for path, is_named in _files(os.fspath(path) for path in paths):
        kind = _kind(path, is_named)
        if kind is None:
            others[PurePosixPath(path).suffix.lower() or "no ending"] += 1
        else:
            (images if kind == "image" else videos)[path] = None
    if not images and not videos:
        raise SourceError(
            f"expected images or videos in {', '.join(without_secrets(os.fspath(path)) for path in paths)}, found "
            f"{sum(others.values()) or 'no'} files of other kinds{_endings(others)}; name a folder, files or a glob"
        )
    return Inputs(tuple(images), tuple(videos), dict(others))


def _endings(others: Counter[str]) -> str:
    return f" ({', '.join(ending for ending, _ in others.most_common(5))})" if others else ""


def is_address(path: str) -> bool:
    """Say whether a path is an address that fsspec opens, such as ``s3://bucket/name``."""
    return "://" in path


def _kind(path: str, is_named: bool) -> str | None:
    name = PurePosixPath(path)
    if name.suffix.lower() in VIDEOS:
        return "video"
    if is_image_name(name):
        return "image"
    if not is_named:
        return None
    # Without an ending that says it, the first bytes do; what is no image is left to the video decoder.
    return "image" if not is_address(path) and is_photo(Path(path)) else "video"


def _files(paths: Iterable[str], is_listed: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield every file, and whether it was named itself, by a path or a list."""
    for path in paths:
        if is_address(path):
            yield from _stored(path)
        elif Path(path).is_dir():
            yield from ((file, False) for file in _walk(path))
        elif Path(path).is_file() and path.lower().endswith(LIST_SUFFIX) and not is_listed:
            yield from _files(_lines(path), is_listed=True)
        elif Path(path).exists():
            yield path, True
        elif found := _matching(path):
            yield from _files(found, is_listed=True)
        elif is_listed:
            yield path, True  # the table of files says that it is missing
        else:
            raise SourceError(f"{path}: expected an image, a video, a folder, a glob or a list (.txt), found nothing")


def _matching(pattern: str) -> list[str]:
    if "\0" in pattern:  # no file's name
        return []
    # Not Path.glob, which takes no absolute patterns.
    return sorted(glob.glob(pattern, recursive=True)) if glob.has_magic(pattern) else []  # noqa: PTH207


def _walk(folder: str) -> Iterator[str]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (str(Path(root, name)) for name in sorted(names) if not name.startswith("."))


def _lines(path: str) -> Iterator[str]:
    if Path(path).stat().st_size > LIST_BYTES:
        raise SourceError(f"{path}: expected a list of paths of at most {LIST_BYTES >> 20} MB, found a larger file")
    with Path(path).open("rb") as file:
        for line in file:
            name = os.fsdecode(line.strip())
            if name and not name.startswith("#"):
                yield name if is_address(name) else str(Path(path).parent / name)


def _stored(address: str) -> Iterator[tuple[str, bool]]:
    """Yield what an address names: a file, all that is in a folder, or what matches a glob."""
    filesystem, root = open_filesystem(address)
    try:
        if glob.has_magic(root):
            found = filesystem.glob(root)
        elif filesystem.isfile(root):
            yield address, True
            return
        else:
            found = filesystem.find(root)
    except Exception as error:  # every protocol has errors of its own
        raise SourceError(f"{without_secrets(address)}: cannot be listed ({without_secrets(str(error))})") from error
    if not found:
        raise SourceError(f"{without_secrets(address)}: expected files, found none")
    yield from ((filesystem.unstrip_protocol(name), False) for name in sorted(found))


def open_filesystem(address: str) -> tuple[Any, str]:
    """Return the file system of an address or path, as fsspec has it, and the path in it.

    Raises:
        SourceError: no such protocol, or its package is not installed.
        MissingExtraError: fsspec is not installed.
    """
    fsspec = require("fsspec", "archive")
    try:
        filesystem, root = fsspec.core.url_to_fs(address)
    except Exception as error:  # some protocols log in here
        raise SourceError(f"{without_secrets(address)}: {without_secrets(str(error))}") from error
    return filesystem, root
