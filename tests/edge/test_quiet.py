"""Standard error held back, and shown after all when something goes wrong."""

import os
import subprocess
import sys
import tempfile

import pytest

from fer_edge.quiet import native_stderr_held


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
