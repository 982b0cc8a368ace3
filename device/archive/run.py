"""An analysis from end to end."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence

from fer_edge.config import check_count
from fer_edge.device.archive.cluster import run_on_cluster
from fer_edge.device.archive.inputs import Inputs, find_inputs
from fer_edge.device.archive.plan import DONE, Done, Manifest, Part
from fer_edge.device.archive.pool import run_local
from fer_edge.device.archive.report import render
from fer_edge.device.archive.settings import Settings
from fer_edge.device.archive.store import Store
from fer_edge.device.archive.summary import Overview, summarize
from fer_edge.device.archive.tables import FACES, FILES, faces_schema, files_schema, write_csv

SUMMARY, REPORT = "summary.json", "report.html"
MAX_WORKERS = 256


class Analysis:
    """The faces of an archive, in a folder that a killed run continues.

    Attributes:
        inputs: what was found.
        manifest: what is planned, and what is done.
    """

    def __init__(
        self, paths: Sequence[str | os.PathLike[str]], out: str | os.PathLike[str], settings: Settings
    ) -> None:
        """Find the inputs and plan their parts, or read the plan that is there and add what is new.

        Args:
            paths: see `find_inputs`.
            out: folder or address of the results.
            settings: see `make_settings`.

        Raises:
            SourceError: nothing to analyze.
            OutputError: `out` cannot be written, or holds something else.
            MissingExtraError: a package of the extra ``archive`` is not installed.
        """
        faces_schema(settings.labels)  # says that pyarrow is missing before the work, not after
        self.settings, self._place = settings, os.fspath(out)
        self._store = Store(self._place)
        self.inputs: Inputs = find_inputs(paths)
        self.manifest = Manifest(self._store, settings.to_dict())
        self.manifest.extend(self.inputs)
        for folder in ("", DONE, FACES, FILES):
            self._store.tidy(folder)

    def run(
        self,
        *,
        workers: int | None = None,
        scheduler: str | None = None,
        finished: Callable[[Part, Done], None] = lambda part, done: None,
    ) -> None:
        """Do the parts that are open.

        Args:
            workers: processes on this machine; one a core if not given.
            scheduler: address of a Dask scheduler, whose workers do it instead.
            finished: called with each part that is done.

        Raises:
            ConfigError: `workers` out of range, no such scheduler.
            FerEdgeError: what a worker raised.
        """
        if workers is not None:
            check_count("workers", workers, 1, MAX_WORKERS)

        def record(part: Part, done: Done) -> None:
            self.manifest.done[part.name] = done
            finished(part, done)

        parts = self.manifest.open_parts
        if scheduler:
            run_on_cluster(self.settings, parts, self._place, scheduler, record)
        else:
            run_local(self.settings, parts, self._place, workers or len(os.sched_getaffinity(0)), record)

    def finish(self, *, csv: bool = False) -> Overview:
        """Write ``summary.json``, ``report.html`` and, with `csv`, ``faces.csv`` and ``files.csv``; return the counts.

        Raises:
            OutputError: a table is damaged, or a file cannot be written.
        """
        overview = summarize(self._store, self.manifest, self.settings.labels)
        self._store.write(SUMMARY, json.dumps(overview.to_dict(), indent=1).encode())
        self._store.write(REPORT, render(overview, self.settings.to_dict()).encode())
        if csv:
            write_csv(self._store, self.manifest, FACES, faces_schema(self.settings.labels))
            write_csv(self._store, self.manifest, FILES, files_schema())
        return overview

    def name(self, file: str) -> str:
        """Return the path or address of a result, to be shown."""
        return self._store.name(file)
