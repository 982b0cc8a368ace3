"""A folder of files, or a zip of one, read the same way."""

from __future__ import annotations

import contextlib
import dataclasses
import lzma
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from fer_edge.errors import DataError
from fer_edge.model_file import ZIP_DAMAGE
from fer_edge.train.data.cache import content_key, listing_key

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


@dataclasses.dataclass(frozen=True)
class Tree:
    """The folders and files below a root; hidden ones and those macOS adds to zips are left out.

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
        """Return the pictures that lie in `folder` itself, sorted.

        Raises:
            DataError: there is none.
        """
        found = [file for file in self.files if file.parent == folder and file.suffix.lower() in SUFFIXES]
        if not found:
            raise DataError(f"{self.root / folder}: expected pictures ({', '.join(SUFFIXES)}), found none")
        return found

    def folders_in(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """Return the folders that lie in `folder` itself, sorted."""
        return [inner for inner in self.folders if inner.parent == folder]


@contextlib.contextmanager
def open_tree(root: Path) -> Iterator[Tree]:
    """Open a folder or a zip file.

    Raises:
        DataError: a file that is not a zip, or one that is damaged.
    """
    if root.is_dir():
        found = [(path, PurePosixPath(path.relative_to(root).as_posix())) for path in sorted(root.rglob("*"))]
        found = [(path, inner) for path, inner in found if _shown(inner)]
        files = tuple(inner for path, inner in found if path.is_file())
        yield Tree(
            root,
            tuple(inner for path, inner in found if path.is_dir()),
            files,
            lambda inner: (root / inner).read_bytes(),
            lambda: listing_key(root, (root / inner for inner in files)),
        )
        return
    try:
        archive = zipfile.ZipFile(root)
    except ZIP_DAMAGE as error:
        raise DataError(f"{root}: expected a folder or a zip file of pictures, found another or a torn one") from error
    with archive:
        # A path leaves out what a name may have, as "./" in front; the archive knows its own names alone.
        names = {PurePosixPath(name): name for name in archive.namelist() if not name.endswith("/")}
        folders = {PurePosixPath(name) for name in archive.namelist() if name.endswith("/")}
        folders |= {parent for inner in folders.union(names) for parent in inner.parents}
        folders = {folder for folder in folders if folder.name}

        def read(inner: PurePosixPath) -> bytes:
            try:
                return archive.read(names[inner])
            except (*ZIP_DAMAGE, lzma.LZMAError, OSError) as error:  # OSError is bzip2's, among others
                raise DataError(f"{root / inner}: cannot be read from the zip ({error}); fetch it again") from error

        yield Tree(
            root,
            tuple(sorted(filter(_shown, folders))),
            tuple(sorted(filter(_shown, names))),
            read,
            lambda: content_key(root),
        )


def _shown(inner: PurePosixPath) -> bool:
    return not any(part.startswith(".") or part == "__MACOSX" for part in inner.parts)
