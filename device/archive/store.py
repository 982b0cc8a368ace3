"""Where results go: a folder, or an address that fsspec opens; every file is written whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from fer_edge.device.archive.inputs import is_address, open_filesystem
from fer_edge.errors import OutputError, SourceError
from fer_edge.files import locked_folder, write_result
from fer_edge.text.address import without_secrets


class Store:
    """A folder of results; each process opens its own."""

    def __init__(self, place: str) -> None:
        """Take a path or an address such as ``s3://bucket/results``; nothing is written yet.

        Raises:
            OutputError: an address that cannot be opened.
            MissingExtraError: an address without fsspec.
        """
        self.place = place
        self._filesystem = None
        if is_address(place):
            try:
                self._filesystem, self._root = open_filesystem(place)
            except SourceError as error:
                raise OutputError(str(error)) from error

    def name(self, file: str) -> str:
        """Return the path or address of a file, to be shown."""
        return f"{without_secrets(self.place).rstrip('/')}/{file}"

    def write(self, file: str, data: bytes) -> None:
        """Write a file, such as ``faces/000001.parquet``, with the folder that it is in.

        Raises:
            OutputError: it cannot be written.
        """
        if self._filesystem is None:
            path = Path(self.place, file)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(f"{path.parent}: cannot be made ({error.strerror}); choose another --out") from error
            write_result(path, data)
            return
        target = f"{self._root}/{file}"
        try:
            self._filesystem.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._filesystem.pipe_file(target, data)
        except Exception as error:  # every protocol has errors of its own
            raise OutputError(f"{self.name(file)}: cannot be written ({error})") from error

    @contextlib.contextmanager
    def writing(self, file: str) -> Iterator[BinaryIO]:
        """Yield a binary file to write what is too large for the memory; it has its name once the block ends well.

        Raises:
            OutputError: it cannot be written.
        """
        try:
            if self._filesystem is not None:
                with self._filesystem.open(f"{self._root}/{file}", "wb") as remote:
                    yield remote
                return
            part = Path(self.place, f".{file}.part")
            try:
                with part.open("wb") as local:
                    yield local
                part.replace(Path(self.place, file))
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{self.name(file)}: cannot be written ({error})") from error

    def read(self, file: str) -> bytes | None:
        """Return the content of a file; None if it does not exist.

        Raises:
            OutputError: it cannot be read.
        """
        try:
            if self._filesystem is None:
                return Path(self.place, file).read_bytes()
            data: bytes = self._filesystem.cat_file(f"{self._root}/{file}")
            return data
        except FileNotFoundError:
            return None
        except Exception as error:  # every protocol has errors of its own
            raise OutputError(f"{self.name(file)}: cannot be read ({without_secrets(str(error))})") from error

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder, sorted; none if it does not exist.

        Raises:
            OutputError: it cannot be listed.
        """
        try:
            if self._filesystem is None:
                return sorted(path.name for path in Path(self.place, folder).iterdir())
            self._filesystem.invalidate_cache()
            found = self._filesystem.ls(f"{self._root}/{folder}", detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except Exception as error:
            raise OutputError(f"{self.name(folder)}: cannot be listed ({without_secrets(str(error))})") from error
        return sorted(name.rstrip("/").rpartition("/")[2] for name in found)

    def tidy(self, folder: str) -> None:
        """Delete what killed processes left half written in a folder; an object store keeps nothing of the kind."""
        if self._filesystem is None:
            for path in Path(self.place, folder).glob(".*.part"):
                with contextlib.suppress(OSError):
                    path.unlink()


@contextlib.contextmanager
def locked(place: str) -> Iterator[None]:
    """Be the only analysis that writes to a place until the block ends; object stores have no locks.

    Raises:
        OutputError: another process uses the folder, or it cannot be made.
    """
    if is_address(place):
        yield
        return
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked_folder(Path(place)))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise OutputError(f"{place}: cannot be made or written ({reason}); choose another --out") from error
        yield
