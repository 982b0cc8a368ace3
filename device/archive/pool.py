"""Workers on this machine: a process a core, each with its own interpreters."""

from __future__ import annotations

import ctypes
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from fer_edge.device.archive.plan import Done, Part
from fer_edge.device.archive.settings import Settings
from fer_edge.device.archive.store import Store
from fer_edge.device.archive.tables import UNREADABLE, Rows, write_part
from fer_edge.device.archive.work import analyze_file, analyze_part
from fer_edge.errors import OutputError

Finished = Callable[[Part, Done], None]
"""Called in this process with each part that is done."""

AHEAD = 2
"""Parts a worker that are handed out at a time, so that none waits for this process."""
PR_SET_PDEATHSIG = 1
KILLED = (
    "the worker process was killed while it worked on this file (memory ran out, or a decoder crashed); save it again"
)


def run_local(settings: Settings, parts: Sequence[Part], place: str, workers: int, finished: Finished) -> None:
    """Do parts on this machine.

    A file that kills its worker is found, gets a row that says so, and the others of its part are done.

    Args:
        settings: what to do.
        parts: in any order.
        place: path or address of the results.
        workers: processes, at least 1.
        finished: called as soon as a part is written.

    Raises:
        FerEdgeError: what a worker raised: a model that cannot be opened, results that cannot be written.
    """
    left = list(parts)
    while left:
        suspects = _until_broken(settings, left, place, workers, finished)
        for part in suspects:
            finished(part, _file_by_file(settings, part, place))
        done = {part.name for part in suspects}
        left = [part for part in left if part.name not in done]


def _until_broken(settings: Settings, left: list[Part], place: str, workers: int, finished: Finished) -> list[Part]:
    """Do parts and take them out of `left`; return those that were under way when a worker died."""
    waiting = iter(tuple(left))
    running: dict[Future[Done], Part] = {}
    with _pool(min(workers, len(left))) as pool:
        try:
            while True:
                for part in _next(waiting, AHEAD * workers - len(running)):
                    running[pool.submit(analyze_part, settings, part, place)] = part
                if not running:
                    return []
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    done = future.result()
                    part = running.pop(future)
                    left.remove(part)
                    finished(part, done)
        except BrokenProcessPool:
            return list(running.values())
        except BaseException:
            _kill(pool)
            raise


def _next(parts: Iterator[Part], count: int) -> Iterator[Part]:
    for _, part in zip(range(count), parts, strict=False):
        yield part


def _file_by_file(settings: Settings, part: Part, place: str) -> Done:
    """Do a part of which a file may kill its worker: every file in a process that may die."""
    rows, pool = Rows(), _pool(1)
    try:
        for file in part.files:
            try:
                found = pool.submit(analyze_file, settings, part, file).result()
                rows.faces += found.faces
                rows.files += found.files
            except BrokenProcessPool:
                pool = _pool(1)
                rows.add_file(file, part.kind, UNREADABLE, KILLED)
    except BaseException:
        _kill(pool)
        raise
    finally:
        pool.shutdown()
    return write_part(Store(place), part, rows, settings.labels)


def _pool(workers: int) -> ProcessPoolExecutor:
    # Not forked: threads of OpenCV and the runtime do not survive that.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)


def _kill(pool: ProcessPoolExecutor) -> None:
    """End the workers at once: Ctrl-C does not wait for parts, and what is half done does not count."""
    for process in list((pool._processes or {}).values()):  # it has no public way to them before Python 3.14
        process.kill()
    pool.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    """Let this process end the workers: Ctrl-C is its affair, and when it is killed they are, too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL):
        raise OutputError("a worker process cannot be bound to its parent; fer-edge analyze needs Linux")
