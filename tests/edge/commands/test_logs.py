"""What a command says beside its results: -v, --quiet, --log-json; and one tree of loggers for programs."""

import ast
import json
import logging
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.commands.logs import ROOT, current_logs, logging_options
from fer_edge.errors import FerEdgeError

FOLDERS = [Path(__file__).parents[3] / name for name in ("edge", "device", "train", "convert")]
_log = logging.getLogger("fer_edge.tests")


@click.command()
@click.option("--end", default="")
@logging_options
def speak(end):
    """Say something on every level."""
    _log.debug("a detail")
    _log.info("what happens")
    _log.warning("what is %s", "odd")
    current_logs().say("hello", {"number": 3})
    click.echo("result")
    if end == "system":
        raise FileNotFoundError(2, "No such file or directory", "there.txt")
    if end == "usage":
        raise click.UsageError("not so")
    if end:
        raise FerEdgeError(end)


def run(*arguments):
    return CliRunner().invoke(speak, arguments)


def records(result):
    return [json.loads(line) for line in result.stderr.splitlines()]


@pytest.mark.parametrize(
    ("options", "heard"),
    [
        ((), ["what is odd", "hello"]),
        (("-v",), ["INFO fer_edge.tests: what happens", "WARNING fer_edge.tests: what is odd", "hello"]),
        (("--quiet",), []),
    ],
)
def test_how_much_is_said(options, heard):
    result = run(*options)
    assert result.stderr.splitlines() == heard
    assert result.stdout == "result\n"


def test_everything():
    assert run("-vv").stderr.startswith("DEBUG fer_edge.tests: a detail")


def test_a_log_for_programs():
    lines = records(run("--log-json"))
    assert [(line["level"], line["logger"], line["message"]) for line in lines] == [
        ("info", "fer_edge.tests", "what happens"),
        ("warning", "fer_edge.tests", "what is odd"),
        ("info", "fer_edge", "hello"),
    ]
    assert lines[2]["data"] == {"number": 3}
    assert datetime.fromisoformat(lines[0]["time"]).utcoffset().total_seconds() == 0
    assert records(run("--log-json", "--quiet")) == []
    assert len(records(run("--log-json", "-vv"))) == 4


@pytest.mark.parametrize(
    ("end", "status", "message"),
    [
        ("no camera", 1, "no camera"),
        ("usage", 2, "not so"),
        ("system", 1, "there.txt: No such file or directory; check the name and its folder"),
    ],
)
def test_what_ends_a_command_is_a_record_too(end, status, message):
    result = run("--log-json", "--end", end)
    assert result.exit_code == status
    assert [(line["level"], line["message"]) for line in records(result)][-1] == ("error", message)
    assert "\nTraceback" not in result.output


def test_verbose_and_quiet_exclude_each_other():
    result = run("-v", "--quiet")
    assert result.exit_code == 2
    assert "exclude each other" in result.stderr


def test_nothing_is_left_behind():
    logger = logging.getLogger(ROOT)
    before = logger.handlers[:], logger.level
    run("-vv", "--end", "no camera")
    assert (logger.handlers, logger.level) == before


def test_a_whole_run_as_a_service_writes_nothing_but_lines_of_json(tmp_path):
    command = [sys.executable, "-m", "fer_edge", "run", "--source", "demo", "--frames", "3", "--log-json"]
    done = subprocess.run([*command, "--serve", "0"], capture_output=True, text=True, check=False)
    assert done.returncode == 2  # its options are read before the log begins
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout == ""
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert lines[-1]["message"] == "summary"
    assert lines[-1]["data"]["frames"] == 3


def test_quiet_keeps_what_was_asked_for():
    command = ["run", "--source", "demo", "--frames", "1", "--quiet"]
    assert CliRunner().invoke(main, command).output == ""
    assert json.loads(CliRunner().invoke(main, [*command, "--json"]).output)["frames"] == 1
    failed = CliRunner().invoke(main, ["run", "--source", "rtsp://127.0.0.1:9/x", "--quiet"])
    assert failed.stderr.startswith("Error: rtsp://127.0.0.1:9/x")


def test_every_module_logs_under_its_own_name():
    """So a program that embeds the package reaches all of it under one logger."""
    others = []
    for path in (path for folder in FOLDERS for path in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("logging.getLogger", "getLogger"):
                named = ast.unparse(node.args[0]) if node.args else ""
                if named not in ("__name__", "ROOT") and "fer_edge" not in named and "tensorflow" not in named:
                    others.append(f"{path}: {named}")
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("logging.basicConfig", "logging.warning"):
                others.append(f"{path}: {ast.unparse(node)}")
    assert not others
