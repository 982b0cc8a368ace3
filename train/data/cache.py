"""Parsed data sets kept on disk, found by a digest of what they were parsed from.

The key is the content itself (a CSV file) or every file's name, size, and times of change (a folder), never
a name alone, so that an edited data set cannot be served from an old parse.
"""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import os
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import OutputError
from fer_edge.files import write_atomically
from fer_edge.train.data.dataset import Split

DIGEST_BYTES = 32
READER_VERSION = 4  # raise it whenever a reader gives other arrays for the same files
logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return where parsed data sets are kept: ``$XDG_CACHE_HOME/fer-edge``, by default ``~/.cache/fer-edge``.

    Raises:
        FileNotFoundError: neither that variable nor a home folder, as of a container's user without a name.
    """
    named = os.environ.get("XDG_CACHE_HOME")
    try:
        return Path(named or Path.home() / ".cache") / "fer-edge"
    except RuntimeError as error:
        raise FileNotFoundError(errno.ENOENT, "no home folder; set XDG_CACHE_HOME") from error


def content_key(path: Path) -> str:
    """Return the key of a file: a digest of all its bytes."""
    with path.open("rb") as stream:
        return f"{hashlib.file_digest(stream, 'sha256').hexdigest()}-v{READER_VERSION}"


def listing_key(root: Path, files: Iterable[Path]) -> str:
    """Return the key of a folder: a digest of its files' names, sizes, and modification and change times.

    The change time is the kernel's own and cannot be set back, as `touch` does with the other.
    """
    digest = hashlib.sha256()
    for file in files:
        status = file.stat()
        line = f"{file.relative_to(root)}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ctime_ns}\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    return f"{digest.hexdigest()}-v{READER_VERSION}"


def names_key(names: Iterable[object]) -> str:
    """Return a short digest of a list of names."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(f"{name}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def load(key: str) -> dict[str, Split] | None:
    """Return the splits stored under `key`, or None if there are none, or not what was stored."""
    arrays = _load(key)
    if arrays is None:
        return None
    try:
        return {
            name: Split(
                arrays[f"{name}_images"],
                arrays[f"{name}_labels"],
                arrays[f"{name}_rows"],
                subjects=arrays.get(f"{name}_subjects"),
            )
            for name in arrays["splits"].tolist()
        }
    except KeyError:
        return None


def store(key: str, splits: dict[str, Split]) -> None:
    """Store splits under `key`; a cache that cannot be written is no reason to fail."""
    arrays: dict[str, NDArray[Any]] = {"splits": np.array(list(splits))}
    for name, split in splits.items():
        arrays |= {f"{name}_images": split.images, f"{name}_labels": split.labels, f"{name}_rows": split.rows}
        if split.subjects is not None:
            arrays[f"{name}_subjects"] = split.subjects
    _store(key, arrays)


def load_array(key: str) -> NDArray[np.float64] | None:
    """Return the numbers stored under `key`, or None if there are none, or not what was stored."""
    return (_load(key) or {}).get("numbers")


def store_array(key: str, numbers: NDArray[np.float64]) -> None:
    """Store numbers under `key`; a cache that cannot be written is no reason to fail."""
    _store(key, {"numbers": numbers})


def _load(key: str) -> dict[str, NDArray[Any]] | None:
    try:
        stored = (cache_folder() / f"{key}.npz").read_bytes()
        digest, body = stored[:DIGEST_BYTES], memoryview(stored)[DIGEST_BYTES:]
        if digest != digest_of(key, body):
            logger.warning("the cached data set is damaged, or of an older version; it is read anew")
            return None
        with np.load(io.BytesIO(body)) as arrays:
            return dict(arrays) or None
    except (OSError, KeyError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile):
        return None


def _store(key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    body = io.BytesIO()
    np.savez(body, allow_pickle=False, **arrays)
    try:
        target = cache_folder() / f"{key}.npz"
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # one's own photos may be among the images
        write_atomically(target, digest_of(key, body.getbuffer()) + body.getvalue())
    except (OSError, OutputError) as error:
        logger.warning("the parsed data set is not cached: %s", error)


def digest_of(key: str, body: memoryview) -> bytes:
    """Return what stands before the arrays in a file, so that a changed bit neither loses a split nor ends a run."""
    digest = hashlib.blake2b(key.encode(), digest_size=DIGEST_BYTES)
    digest.update(body)
    return digest.digest()
