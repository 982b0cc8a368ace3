"""A Dask cluster of real processes on this machine."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow.parquet
import pytest

from fer_edge.device.archive import cluster as cluster_module
from fer_edge.device.archive.plan import Part
from fer_edge.device.archive.run import Analysis
from fer_edge.errors import FerEdgeError

DASK = Path(sys.executable).with_name("dask")


@contextlib.contextmanager
def process(*arguments):
    with subprocess.Popen([DASK, *arguments], stderr=subprocess.PIPE, text=True, start_new_session=True) as running:
        try:
            yield running
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)


@contextlib.contextmanager
def cluster():
    """Yield the address of a scheduler with two workers, and their processes."""
    with process("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard") as scheduler:
        address = next(found[0] for line in scheduler.stderr if (found := re.search(r"tcp://127.0.0.1:\d+", line)))
        threading.Thread(target=scheduler.stderr.read, daemon=True).start()
        worker = ("worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny")
        with process(*worker) as first, process(*worker) as second:
            for running in (first, second):
                threading.Thread(target=running.stderr.read, daemon=True).start()
            yield address, (first, second)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_same_rows_though_a_worker_is_killed(archive, settings, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for at in range(320):
        os.link(archive / ("a.jpg", "empty.png", "damaged.jpg")[at % 3], folder / f"{at:03d}.jpg")
    alone = Analysis([folder], tmp_path / "alone", settings)
    alone.run(workers=1)
    together = Analysis([folder], tmp_path / "together", settings)
    with cluster() as (address, workers):

        def kill_one(part, done):
            if workers[0].poll() is None:
                os.killpg(workers[0].pid, signal.SIGKILL)

        together.run(scheduler=address, finished=kill_one)
        assert workers[0].wait(10) == -signal.SIGKILL
    for table in ("faces", "files"):
        found, wanted = (pyarrow.parquet.read_table(tmp_path / at / table) for at in ("together", "alone"))
        assert found.equals(wanted)
        assert len(found) > 0
    assert not together.manifest.open_parts


def test_no_scheduler(archive, settings, tmp_path):
    begun = time.monotonic()
    with pytest.raises(FerEdgeError, match="expected the address of a Dask scheduler"):
        Analysis([archive / "a.jpg"], tmp_path / "out", settings).run(scheduler="tcp://127.0.0.1:1")
    assert time.monotonic() - begun < 60


def test_workers_get_absolute_paths_and_the_umask(tmp_path, monkeypatch):
    sent = []

    class Client:
        def submit(self, *arguments, **options):
            sent.append(arguments)

    monkeypatch.chdir(tmp_path)
    before = os.umask(0o027)
    try:
        cluster_module._submit(Client(), None, Part("000000", "image", ("a.jpg", "s3://b/c.jpg", "/d.jpg")), "out")
    finally:
        os.umask(before)
    ((_, _, part, place, umask),) = sent
    assert part.files == (f"{tmp_path}/a.jpg", "s3://b/c.jpg", "/d.jpg")
    assert (place, umask) == (f"{tmp_path}/out", 0o027)
