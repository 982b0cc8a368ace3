"""A folder of files, or a zip of one, read the same way."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from fer_edge.errors import DataError
from fer_edge.images import SIDE_FILES, SUFFIXES, is_image_name
from fer_edge.text import printable
from fer_edge.train.data.cache import content_key, listing_key
from fer_edge.train.data.files.archive import LARGEST_IMAGE_BYTES, MAX_DEPTH, open_zip, path_of, read_member

MAX_FOLDERS = 300_000
"""Of a data set, links to folders counted each time; links that lead to each other could make more without end."""


@dataclasses.dataclass(frozen=True)
class Tree:
    """The folders and files below a root; hidden ones and those that systems add by themselves are left out.

    Attributes:
        root: the folder or zip file.
        folders: paths below the root, sorted.
        files: paths below the root, sorted.
        read: returns the bytes of one of `files`.
        key: returns the key of `files` for the cache.
    """

    root: Path
    folders: tuple[PurePosixPath, ...]
    files: tuple[PurePosixPath, ...]
    read: Callable[[PurePosixPath], bytes]
    key: Callable[[], str]

    def pictures_in(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """Return the pictures that lie in `folder` itself, sorted."""
        return [file for file in self._files_by_folder[folder] if is_image_name(file)]

    def pictures_below(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """Return the pictures that lie in folders below `folder`, at any depth, sorted."""
        below = [inner for child in self.folders_in(folder) for inner in (child, *self._all_below(child))]
        return [file for inner in below for file in self.pictures_in(inner)]

    def folders_in(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """Return the folders that lie in `folder` itself, sorted."""
        return self._folders_by_folder[folder]

    def require_pictures(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """Return the pictures of a class's folder.

        Raises:
            DataError: there is none.
        """
        found = self.pictures_in(folder)
        if not found:
            others = [file.name for file in self._files_by_folder[folder]]
            beside = f"{len(others)} other files such as {printable(others[0], 60)}" if others else "none"
            below = len(self.pictures_below(folder))
            if below:
                beside = f"none in it, but {below} in folders below; move them up, or give every class such folders"
            raise DataError(f"{self.root / folder}: expected pictures ({' '.join(SUFFIXES)}), found {beside}")
        return found

    def _all_below(self, folder: PurePosixPath) -> Iterator[PurePosixPath]:
        for child in self.folders_in(folder):
            yield child
            yield from self._all_below(child)

    @functools.cached_property
    def _files_by_folder(self) -> dict[PurePosixPath, list[PurePosixPath]]:
        return _by_parent(self.files)

    @functools.cached_property
    def _folders_by_folder(self) -> dict[PurePosixPath, list[PurePosixPath]]:
        return _by_parent(self.folders)


@contextlib.contextmanager
def open_tree(root: Path) -> Iterator[Tree]:
    """Open a folder or a zip file.

    Raises:
        DataError: a file that is not a zip, or one that is damaged, or folders nested deeper than any data set's.
    """
    if root.is_dir():
        folders, files = _walk(root)
        yield Tree(
            root,
            folders,
            files,
            lambda inner: (root / inner).read_bytes(),
            functools.cache(lambda: listing_key(root, (root / inner for inner in files))),
        )
        return
    with open_zip(root) as archive:
        entries: dict[PurePosixPath, zipfile.ZipInfo] = {}
        found: set[PurePosixPath] = set()
        for entry in archive.infolist():
            path = path_of(entry, root)
            if entry.filename.endswith(("/", "\\")):
                found.add(path)
            else:
                entries[path] = entry
            found.update(path.parents)
        yield Tree(
            root,
            tuple(sorted(folder for folder in found if folder.name and _shown(folder))),
            tuple(sorted(filter(_shown, entries))),
            lambda inner: read_member(archive, entries[inner], LARGEST_IMAGE_BYTES, str(root / inner)),
            functools.cache(lambda: content_key(root)),
        )


def _walk(root: Path) -> tuple[tuple[PurePosixPath, ...], tuple[PurePosixPath, ...]]:
    """List folders and files below `root`, links to folders included, but none that leads to a folder around it."""
    folders: list[PurePosixPath] = []
    files: list[PurePosixPath] = []
    status = root.stat()
    waiting: list[tuple[PurePosixPath, tuple[tuple[int, int], ...]]] = [
        (PurePosixPath(), ((status.st_dev, status.st_ino),))
    ]
    while waiting:
        folder, around = waiting.pop()
        if len(around) > MAX_DEPTH:
            raise DataError(
                f"{root}: expected at most {MAX_DEPTH} folders inside each other, found more in "
                f"'{printable(str(folder), 80)}'; this is no data set"
            )
        with os.scandir(root / folder) as entries:
            if len(folders) > MAX_FOLDERS:
                raise DataError(f"{root}: expected at most {MAX_FOLDERS} folders, found more; this is no data set")
            for entry in entries:
                inner = folder / entry.name
                if not _shown(inner):
                    continue
                if not entry.is_dir():
                    if entry.is_file():
                        files.append(inner)
                    continue
                status = entry.stat()
                identity = (status.st_dev, status.st_ino)
                if identity not in around:
                    folders.append(inner)
                    waiting.append((inner, (*around, identity)))
    return tuple(sorted(folders)), tuple(sorted(files))


def _by_parent(paths: Iterable[PurePosixPath]) -> dict[PurePosixPath, list[PurePosixPath]]:
    found: dict[PurePosixPath, list[PurePosixPath]] = defaultdict(list)
    for path in paths:
        found[path.parent].append(path)
    return found


def _shown(inner: PurePosixPath) -> bool:
    return inner.name.lower() not in SIDE_FILES and not any(
        part.startswith(".") or part == "__MACOSX" for part in inner.parts
    )
