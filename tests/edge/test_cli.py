"""The command line's shell: help without heavy imports, errors in one line, exit status by kind."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from fer_edge import __version__
from fer_edge.cli import COMMANDS, LazyGroup, main
from fer_edge.errors import DataError

CODE = """
import sys, resource
from fer_edge.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
heavy = {"cv2", "tensorflow", "keras", "numpy", "matplotlib", "rich", "ai_edge_litert"} & set(sys.modules)
used = resource.getrusage(resource.RUSAGE_SELF)
print("HEAVY", sorted(heavy), "CPU", used.ru_utime + used.ru_stime)
"""


def test_help_lists_every_command_and_imports_nothing_heavy():
    result = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    for name in COMMANDS:
        assert f"\n  {name} " in result.stdout
    assert "HEAVY []" in result.stdout
    assert float(result.stdout.rsplit("CPU", 1)[1]) < 0.3


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_manual(name):
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_version():
    assert __version__ in CliRunner().invoke(main, ["--version"]).output


def test_wrong_usage_is_status_2():
    assert CliRunner().invoke(main, ["no-such-command"]).exit_code == 2
    assert CliRunner().invoke(main, ["train", "/no/such/file.csv", "--out", "x"]).exit_code == 2


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DataError("x.csv: row 3: torn"), "Error: x.csv: row 3: torn\n"),
        (
            OSError(28, "No space left on device", "out.mkv"),
            "Error: out.mkv: No space left on device; make room, or choose another place\n",
        ),
        (OSError("odd"), "Error: odd\n"),
    ],
)
def test_what_a_user_can_cause_is_one_line_and_status_1(error, line):
    @click.command()
    def broken():
        raise error

    class Group(LazyGroup):
        def get_command(self, ctx, cmd_name):
            return broken

    result = CliRunner().invoke(Group(), ["broken"])
    assert result.exit_code == 1
    assert result.stderr == line
