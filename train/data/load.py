"""A data set by what the user typed: a CSV file, a folder export, or ``demo``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS
from fer_edge.train.data import cache
from fer_edge.train.data.dataset import Dataset, Split
from fer_edge.train.data.demo import make_demo
from fer_edge.train.data.fer_csv import read_fer_csv
from fer_edge.train.data.folders import list_pictures, read_folders
from fer_edge.train.data.spec import DEMO
from fer_edge.train.progress import progress_bar


def load_dataset(spec: str) -> Dataset:
    """Load a data set, from the cache where its source is unchanged.

    Args:
        spec: ``demo`` (generated), a FER2013 CSV file, or a folder with ``train`` and ``test``.

    Raises:
        DataError: what is there is not such a data set.
    """
    if spec == DEMO:
        return make_demo()
    path = Path(spec)
    if path.is_dir():
        pictures = list_pictures(path)
        key = cache.listing_key(path, (file for file, _, _ in pictures))
        splits = _cached(key, "pictures", len(pictures), lambda advance: read_folders(pictures, advance))
    elif path.is_file():
        size = path.stat().st_size
        splits = _cached(cache.content_key(path), "bytes", size, lambda advance: read_fer_csv(path, advance))
    else:
        raise DataError(f"{spec}: expected a fer2013.csv, a folder export or 'demo', found no such file")
    return Dataset.make(path.name or str(path), EXPRESSIONS, splits)


def _cached(
    key: str, unit: str, total: int, read: Callable[[Callable[[int], None]], dict[str, Split]]
) -> dict[str, Split]:
    splits = cache.load(key)
    if splits is None:
        with progress_bar(f"reading {unit}", total, in_bytes=unit == "bytes") as advance:
            splits = read(advance)
        cache.store(key, splits)
    return splits
