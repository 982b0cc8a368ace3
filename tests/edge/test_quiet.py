"""Standard error held back, and shown after all when something goes wrong."""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from fer_edge.quiet import native_stderr_held
from fer_edge.runtime import TFLiteModel
from fer_edge.shipped import shipped_models


def test_chatter_is_dropped(capfd):
    with native_stderr_held():
        os.write(2, b"chatter\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_it_is_shown_when_the_block_fails(capfd):
    with pytest.raises(ValueError, match="no"), native_stderr_held():
        os.write(2, b"the reason\n")
        raise ValueError("no")
    assert capfd.readouterr().err == "the reason\n"


def test_it_needs_no_disk(capfd, monkeypatch):
    def refuse(*arguments, **keywords):
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with native_stderr_held():
        os.write(2, b"chatter\n")
    assert capfd.readouterr().err == ""


def test_where_nothing_can_be_held_it_is_shown_at_once(capfd, monkeypatch):
    monkeypatch.delattr(os, "memfd_create")
    with native_stderr_held():
        os.write(2, b"chatter\n")
    assert capfd.readouterr().err == "chatter\n"


RUN = "from fer_edge.quiet import native_stderr_held\nwith native_stderr_held(): print('done')"


@pytest.mark.parametrize("prelude", ["", "import os; os.close(2)\n"], ids=["from the start", "later"])
def test_without_a_standard_error_the_work_is_done(prelude):
    close = (lambda: os.close(2)) if not prelude else None
    done = subprocess.run([sys.executable, "-c", prelude + RUN], stdout=subprocess.PIPE, preexec_fn=close, check=False)
    assert (done.returncode, done.stdout) == (0, b"done\n")


def test_under_a_limit_of_no_bytes_the_work_is_done():
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    done = subprocess.run([sys.executable, "-c", limit + RUN], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"done\n", b"")


@pytest.mark.parametrize("first_out", [0, 1], ids=["first in, first out", "first in, last out"])
def test_blocks_of_two_threads_give_standard_error_back(capfd, first_out):
    inside = [threading.Event(), threading.Event()]
    leave = [threading.Event(), threading.Event()]

    def hold(number):
        with native_stderr_held():
            inside[number].set()
            assert leave[number].wait(10)
            os.write(2, b"chatter\n")

    threads = [threading.Thread(target=hold, args=(number,)) for number in range(2)]
    for number in range(2):
        threads[number].start()
        assert inside[number].wait(10)
    for number in (first_out, 1 - first_out):
        leave[number].set()
        threads[number].join(10)
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_a_block_that_fails_beside_another_shows_its_own_words_once(capfd):
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with native_stderr_held():
            os.write(2, b"chatter\n")
            inside.set()
            assert leave.wait(10)

    other = threading.Thread(target=hold)
    other.start()
    assert inside.wait(10)
    with pytest.raises(ValueError, match="no"), native_stderr_held(), native_stderr_held():
        os.write(2, b"the reason\n")
        raise ValueError("no")
    leave.set()
    other.join(10)
    assert capfd.readouterr().err == "the reason\n"


def test_many_blocks_leave_no_descriptor_open():
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        with native_stderr_held(), native_stderr_held():
            pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_four_simultaneous_openings_of_models_leave_standard_error_as_it_was(capfd):
    start = threading.Barrier(4)

    def open_one():
        start.wait(10)
        TFLiteModel(shipped_models()["nano"])

    for _ in range(5):
        threads = [threading.Thread(target=open_one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
