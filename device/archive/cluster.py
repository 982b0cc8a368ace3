"""Workers of a Dask cluster: the same parts and the same manifest, on machines that come and go."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fer_edge import __version__
from fer_edge.device.archive.inputs import is_address
from fer_edge.device.archive.plan import Done, Part
from fer_edge.device.archive.pool import Finished
from fer_edge.device.archive.settings import Settings
from fer_edge.device.archive.work import analyze_part
from fer_edge.errors import FerEdgeError
from fer_edge.lazy import require

TIMEOUT_S = 10
AHEAD = 4
"""Parts a worker thread that the scheduler holds at a time: it stays small whatever the archive's size."""
FEWEST = 64
"""Parts that it holds at least, for workers that join later."""
RETRIES = 2


def run_on_cluster(settings: Settings, parts: Sequence[Part], place: str, scheduler: str, finished: Finished) -> None:
    """Do parts on a Dask cluster whose workers reach inputs and results under the same names.

    Args:
        settings: what to do.
        parts: in any order; their paths are made absolute, since workers have folders of their own.
        place: path or address of the results, likewise.
        scheduler: its address, such as ``tcp://host:8786``.
        finished: called as soon as a part is written.

    Raises:
        FerEdgeError: no scheduler at that address, workers with another version, or what a worker raised.
        MissingExtraError: ``dask.distributed`` is not installed.
    """
    distributed = require("distributed", "dask")
    try:
        client = distributed.Client(scheduler, timeout=TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise FerEdgeError(
            f"{scheduler}: expected the address of a Dask scheduler, such as tcp://host:8786, found none ({error}); "
            "start one with: dask scheduler"
        ) from error
    with client:
        _check_versions(client)
        waiting = iter(parts)
        futures = distributed.as_completed(loop=client.loop)
        for part in _ahead(client, waiting):
            futures.add(_submit(client, settings, part, place))
        for future in futures:
            part, done = _result(distributed, future)
            finished(part, done)
            if following := next(waiting, None):
                futures.add(_submit(client, settings, following, place))


def _ahead(client: Any, waiting: Iterator[Part]) -> Iterator[Part]:
    threads = sum(client.nthreads().values())
    for _, part in zip(range(max(AHEAD * threads, FEWEST)), waiting, strict=False):
        yield part


def _submit(client: Any, settings: Settings, part: Part, place: str) -> Any:
    whole = dataclasses.replace(part, files=tuple(map(_absolute, part.files)))
    # A part writes files, so it is never taken from the results of an equal call.
    return client.submit(do_part, settings, whole, _absolute(place), _umask(), pure=False, retries=RETRIES)


def _absolute(path: str) -> str:
    return path if is_address(path) else str(Path(path).absolute())


def _umask() -> int:
    umask = os.umask(0o077)  # there is no way only to ask
    os.umask(umask)
    return umask


def do_part(settings: Settings, part: Part, place: str, umask: int) -> tuple[Part, Done]:
    """Do a part in a worker of the cluster, whose umask stays: it may have threads with parts of their own."""
    os.umask(umask)
    return part, analyze_part(settings, part, place)


def _result(distributed: Any, future: Any) -> tuple[Part, Done]:
    try:
        part, done = future.result()
    except distributed.KilledWorker as error:
        raise FerEdgeError(
            f"a part of the archive killed its workers again and again ({error}); do it on one machine, where the file "
            "is found: repeat the command without --dask"
        ) from error
    future.release()
    return part, done


def _check_versions(client: Any) -> None:
    found = {}
    for address, answer in client.run(version, on_error="return").items():
        if answer != __version__:
            found[address] = answer if isinstance(answer, str) else f"none ({answer})"
    if found:
        address, other = next(iter(found.items()))
        raise FerEdgeError(
            f"expected fer-edge {__version__} on all workers, found {other} on {address}; install the same there"
        )


def version() -> str:
    """Return the version of fer-edge in a worker."""
    return __version__
