"""Standard error held back, and shown after all when something goes wrong."""

import os

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
