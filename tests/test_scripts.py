"""The scripts say what they do, and refuse what they do not know, before they begin."""

import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"


def run(name, *arguments):
    return subprocess.run(
        [SCRIPTS / name, *arguments], capture_output=True, text=True, check=False, timeout=20, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("name", ["environment", "demo", "screenshots"])
def test_help_is_help(name, option):
    result = run(name, option)
    assert result.returncode == 0
    assert result.stdout.startswith("usage: scripts/")
    assert not result.stderr


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("environment", ["--extra"]), ("environment", ["nonsense"]), ("environment", []), ("demo", ["x"])],
)
def test_what_a_script_does_not_know_is_wrong_usage(name, arguments):
    result = run(name, *arguments)
    assert result.returncode == 2
    assert "usage: scripts/" in result.stderr


def test_an_unknown_extra_is_named_with_those_that_there_are():
    error = run("environment", "dev,webb").stderr
    assert "'webb'" in error
    assert "device" in error
