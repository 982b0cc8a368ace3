import shlex

import pytest

from fer_edge.machine import command_line


@pytest.mark.parametrize("program", ["/usr/bin/fer-edge", "/lib/fer_edge/__main__.py"])
def test_a_command_can_be_repeated(monkeypatch, program):
    monkeypatch.setattr("sys.argv", [program, "train", "my data.csv", "--seed", "1"])
    assert command_line() == "fer-edge train 'my data.csv' --seed 1"
    assert shlex.split(command_line())[2] == "my data.csv"


def test_a_programs_arguments_are_its_own(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/home/pi/mine.py", "--password", "s3cret"])
    assert command_line() is None
