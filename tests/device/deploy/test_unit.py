"""The systemd unit."""

import re
import shutil
import subprocess
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.device.deploy.unit import ROOT, quote, unit_text

needs_systemd_analyze = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")


@pytest.fixture
def installed(tmp_path):
    """Write a unit as it is on a target where the program exists."""

    def make(options=(), model=""):
        program = tmp_path / "current/venv/bin/fer-edge"
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        file = tmp_path / "fer-edge.service"
        file.write_text(unit_text(options, model).replace(ROOT, str(tmp_path)))
        return file

    return make


@needs_systemd_analyze
def test_systemd_finds_nothing_wrong(installed):
    # An unknown key is a warning on standard error and no failure.
    options = ("--source", "rtsp://camera/100%?a=$b", "--jsonl", 'with "quotes" and \\ and spaces', "--skin", "off")
    unit = installed(options, "model.tflite")
    result = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


@needs_systemd_analyze
def test_systemd_calls_it_well_protected(installed):
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", installed()]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_the_command_names_program_model_and_options():
    (line,) = re.findall(r"^ExecStart=(.*)$", unit_text(("--skin", "off"), "model.tflite"), re.MULTILINE)
    program = "@ROOT@/current/venv/bin/fer-edge"
    assert line == f"{program} run --model @ROOT@/current/payload/model.tflite --skin off"


def unquote(text):
    """Split a command line as systemd.service(5) describes it, for words that `quote` makes."""
    words, word, quoted, position = [], None, False, 0
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 1
            word = (word or "") + text[position]
        elif character in "%$":
            position += 1
            assert text[position] == character
            word = (word or "") + character
        elif character == '"':
            quoted, word = not quoted, word or ""
        elif character == " " and not quoted:
            words.append(word)
            word = None
        else:
            assert quoted or character not in "';\t"
            word = (word or "") + character
        position += 1
    return [*words, word]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))), min_size=1))
def test_quoted_words_come_back(words):
    assert unquote(" ".join(map(quote, words))) == words


TEMPLATE = resources.files("fer_edge.device.deploy").joinpath("fer-edge@.service")

OF_THE_INSTANCE = {
    "AssertPathExists",
    "Description",
    "EnvironmentFile",
    "ExecStart",
    "MemoryMax",
    "StateDirectory",
    "SyslogIdentifier",
    "User",
    "WorkingDirectory",
}


@pytest.fixture
def template(installed, tmp_path):
    """Write the template of one service a camera, as it is where the program exists."""
    installed()
    file = tmp_path / "fer-edge@.service"
    file.write_text(TEMPLATE.read_text().replace(ROOT, str(tmp_path)))
    return file.with_name("fer-edge@door.service")


@needs_systemd_analyze
def test_systemd_finds_nothing_wrong_with_a_camera_of_several(template):
    result = subprocess.run(["systemd-analyze", "verify", template], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_camera_of_several_is_locked_in_as_one_alone_is():
    one, each = (
        [line for line in text.splitlines() if "=" in line] for text in (unit_text((), ""), TEMPLATE.read_text())
    )
    differing = {line.partition("=")[0] for line in set(one) ^ set(each) if not line.startswith("#")}
    assert differing == OF_THE_INSTANCE


def test_two_cameras_share_nothing_that_they_write():
    lines = dict(line.split("=", 1) for line in TEMPLATE.read_text().splitlines() if re.match(r"[A-Z]\w+=", line))
    for key in ("EnvironmentFile", "ExecStart", "StateDirectory", "SyslogIdentifier", "User", "WorkingDirectory"):
        assert "%i" in lines[key], key
