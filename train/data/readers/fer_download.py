"""FER2013 as it is downloaded: where in an archive or a folder its CSV file is.

It goes around as ``fer2013.tar.gz``, as Kaggle's ``archive.zip`` with ``fer2013.csv`` or ``icml_face_data.csv`` inside,
unpacked in a folder, and as ``train.csv`` without the splits beside a ``test.csv`` without the labels.
"""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePath

from fer_edge.errors import DataError
from fer_edge.text import printable
from fer_edge.train.data.files import csv_file
from fer_edge.train.data.files.archive import open_zip
from fer_edge.train.data.files.csv_file import CsvFile
from fer_edge.train.data.readers.fer_csv import REQUIRED, USAGE

MOST_MEMBERS = 100_000
"""Of a tar archive; whoever packs single images gives a folder or a zip."""
MOST_CANDIDATES = 20
"""CSV files whose headers are looked at."""
_ENDINGS = (".csv", ".csv.gz", ".csv.bz2", ".csv.xz")
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".zip")


def holds_csv(file: PurePath) -> bool:
    """Say whether a file of a folder or zip may be, or hold, FER2013's CSV file."""
    return file.name.lower().endswith((*_ENDINGS, *_ARCHIVES))


def find_fer_csv(path: Path) -> CsvFile:
    """Return FER2013's CSV file in a folder, a zip or a tar archive, or `path` itself.

    Of several, the one that has splits is meant, and of these the one called ``fer2013``.

    Raises:
        DataError: there is none; says what is there, and what to do.
    """
    if path.is_dir():
        candidates = _in_folder(path)
    elif path.suffix.lower() == ".zip" or zipfile.is_zipfile(path):
        candidates = _in_zip(path)
    elif csv_file.is_tar(path):
        candidates = _in_tar(path)
    else:
        return csv_file.at_path(path)
    return _best(path, candidates)


def _best(path: Path, candidates: list[CsvFile]) -> CsvFile:
    headers = [(file, {name.lower() for name in file.header}) for file in candidates[:MOST_CANDIDATES]]
    fitting = [(file, header) for file, header in headers if header >= set(REQUIRED)]
    if not fitting:
        found = f"{candidates[0].where} with the columns {_listed(headers[0][1])}" if headers else "no CSV file"
        raise DataError(
            f"{path}: expected a fer2013.csv or icml_face_data.csv in it, or a folder of images for each class, found "
            f"{found}"
        )
    fitting.sort(key=lambda each: (USAGE not in each[1], not each[0].name.lower().startswith("fer2013")))
    return fitting[0][0]


def _listed(header: set[str]) -> str:
    return printable(", ".join(sorted(header)), 60)


def _in_folder(path: Path) -> list[CsvFile]:
    files = [each for each in sorted(path.rglob("*")) if each.is_file() and not each.name.startswith(".")]
    found = [csv_file.at_path(each) for each in files if each.name.lower().endswith(_ENDINGS)]
    if not found and (archives := [each for each in files if each.name.lower().endswith(_ARCHIVES)]):
        raise DataError(f"{path}: expected a CSV file or images in it, found {archives[0].name}; give {archives[0]}")
    return found


def _in_zip(path: Path) -> list[CsvFile]:
    with open_zip(path) as archive:
        entries = [entry for entry in archive.infolist() if "__MACOSX" not in entry.filename]
    found = [csv_file.in_zip(path, entry) for entry in entries if entry.filename.lower().endswith(".csv")]
    if not found:
        _refuse_nested(path, [entry.filename for entry in entries])
    return found


def _in_tar(path: Path) -> list[CsvFile]:
    found, names, unpacked = [], [], 0
    with csv_file.open_tar(path) as archive:
        members = iter(archive)
        while True:
            with csv_file.unpacking(path):
                member = next(members, None)
            if member is None:
                break
            unpacked += member.size
            names.append(member.name)
            if len(names) > MOST_MEMBERS or unpacked > 4 * csv_file.LARGEST_BYTES:
                raise DataError(f"{path}: expected a fer2013.csv in it, found much more; unpack it, give the folder")
            if member.isfile() and member.name.lower().endswith(".csv") and "/._" not in f"/{member.name}":
                found.append(csv_file.in_tar(path, member))
    if not found:
        _refuse_nested(path, names)
        raise DataError(
            f"{path}: expected a CSV file in it, found {printable(names[0], 60) if names else 'nothing'}; unpack it "
            f"with 'tar xf {path.name}' and give the folder"
        )
    return found


def _refuse_nested(path: Path, names: list[str]) -> None:
    inner = [name for name in names if name.lower().endswith((*_ARCHIVES, *_ENDINGS[1:]))]
    if inner:
        raise DataError(
            f"{path}: expected a CSV file or images in it, found another archive, {printable(inner[0], 60)}; unpack "
            f"{path.name} and give that"
        )
