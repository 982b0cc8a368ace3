"""What reaches a terminal: names and messages of strangers as escapes, fer-edge's own colours and progress as made."""

import io
import logging
import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from fer_edge.cli import LazyGroup
from fer_edge.errors import DataError
from fer_edge.text.terminal import Terminal, native, visible

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b1A\u202e"


@pytest.mark.parametrize(
    "text", ["plain\n", "a\tb\n", "\r\x1b[Kframe 3", "\x1b[32m\x1b[1mok\x1b[0m fine\n", "wütend 生气"]
)
def test_what_is_ones_own_stays(text):
    assert visible(text) == text


@pytest.mark.parametrize("text", [EVIL, "name\r\x1b[Kfake line", "a\rb", "\x1b[1A\x1b[2K", "\x1b(0", "\x1bc"])
def test_what_would_be_obeyed_is_seen(text):
    assert "\r" not in visible(text)
    assert "\x1b" not in visible(text)
    assert "\x9b" not in visible(text)


def test_names_that_are_no_text_keep_their_bytes():
    assert visible("caf\udce9") == "caf\udce9"


@click.command()
@click.argument("where")
def command(where):
    if where == "stdout":
        click.echo(f"file {EVIL}: 1 face")
    elif where == "stderr":
        click.echo(f"Error: {EVIL}", err=True)
    elif where == "log":
        logging.getLogger("fer_edge.test").warning("camera answers %s", EVIL)
    elif where == "usage":
        raise click.BadParameter(EVIL)
    elif where == "error":
        raise DataError(f"{EVIL}: torn")
    else:
        raise FileNotFoundError(2, "No such file", EVIL)


@pytest.mark.parametrize("where", ["stdout", "stderr", "log", "usage", "error", "system"])
def test_every_way_out_is_guarded(where, monkeypatch):
    monkeypatch.setattr(LazyGroup, "get_command", lambda self, ctx, name: command)
    logger = logging.getLogger("fer_edge.test")
    monkeypatch.setattr(logger, "propagate", False)  # not to pytest, but to the handler of last resort
    result = CliRunner().invoke(LazyGroup(name="fer-edge"), ["any", where])
    assert r"\x1b]0;owned\x07" in result.output  # click itself leaves out "\x1b[2J" where there is no terminal
    assert r"\x9b1A\u202e" in result.output
    assert result.output.removesuffix("\n").replace("\n", "").isprintable()


def test_a_file_name_cannot_write_to_a_terminal(tmp_path):
    """On a terminal of its own; the file is no photo, so that nothing else is needed."""
    name = tmp_path / "\x1b[2J\x1b]0;owned\x07.csv"
    name.write_bytes(b"no data")
    own, theirs = os.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "fer_edge", "data", "inspect", name], stdout=theirs, stderr=theirs, check=False
    )
    os.close(theirs)
    shown = os.read(own, 10_000)
    os.close(own)
    assert done.returncode == 1
    assert b"\x1b]" not in shown
    assert b"\x1b[2J" not in shown
    assert rb"\x1b[2J\x1b]0;owned\x07.csv" in shown


def test_the_rest_is_the_streams_own():
    stream = io.StringIO()
    terminal = Terminal(stream)
    assert terminal.write("a\x1b") == 2
    assert terminal.getvalue() == r"a\x1b"
    assert native(terminal) is native(stream) is stream
    assert not terminal.isatty()
