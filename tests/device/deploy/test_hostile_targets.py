"""Targets that answer with anything but the truth: one line each, in bounded time and memory."""

import json

import pytest

from fer_edge.device.deploy.explain import explain_login, explain_step, last_line, pip_error
from fer_edge.device.deploy.target import parse_target

TRUE = {
    "root": "/home/pi/fer-edge",
    "machine": "aarch64",
    "python": "3.11",
    "release": "12",
    "system": "Debian GNU/Linux 12 (bookworm)",
    "board": "Raspberry Pi 5 Model B Rev 1.0",
    "rsync": "/usr/bin/rsync",
}


def answer(**changes):
    return "welcome\n" + "".join(f"fer-edge:{name}={value}\n" for name, value in {**TRUE, **changes}.items())


def test_what_a_target_says_is_taken():
    assert parse_target(answer(), "~/fer-edge").python == "3.11"
    assert parse_target(answer(root="/opt/x"), "/opt/x").root == "/opt/x"
    assert parse_target(answer(board="", release="", rsync=""), "~/fer-edge").rsync == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("root", "/x; touch pwn"),
        ("root", "/x/$(touch pwn)/fer-edge"),
        ("root", "fer-edge"),
        ("root", "/home/pi/other"),
        ("machine", "aarch64; reboot"),
        ("python", "3.11.x`id`"),
        ("python", "9" * 5000),
        ("release", "12 --index-url http://elsewhere"),
        ("rsync", "/bin/sh -c x"),
        ("system", "x" * 5000),
        ("board", "y" * 101),
    ],
)
def test_what_no_target_says_is_refused(name, value):
    with pytest.raises(ValueError, match=name if value != "/home/pi/other" else "folder /home/pi/other where"):
        parse_target(answer(**{name: value}), "~/fer-edge")


def test_another_folder_than_the_one_that_was_asked_for_is_refused():
    with pytest.raises(ValueError, match="the folder /etc where /opt/x was asked for"):
        parse_target(answer(root="/etc"), "/opt/x")


ESCAPES = "\x1b]0;pwned\x07\x1b[2J\u202e"


@pytest.mark.parametrize(
    "text",
    [
        explain_login("pi", f"{ESCAPES} nobody knows"),
        explain_step(f"fer-edge: {ESCAPES}"),
        explain_step(f"No matching distribution {ESCAPES}"),
        explain_step(ESCAPES),
        pip_error(f"ERROR: {ESCAPES}"),
        last_line("x" * 100_000),
        parse_target(answer(board=ESCAPES), "~/fer-edge").describe(),
    ],
)
def test_nothing_of_a_targets_words_steers_a_terminal(text):
    assert text.isprintable()
    assert len(text) < 600


def test_a_host_in_a_command_to_copy_is_quoted():
    assert "ssh-copy-id 'a;b'" in explain_login("a;b", "Permission denied")


SHELL = 'case "$SSH_ORIGINAL_COMMAND" in sh) exec /bin/sh ;; *) {} ;; esac'


@pytest.mark.parametrize(
    ("name", "login", "words"),
    [
        ("greets-without-end", "exec tr '\\0' y </dev/zero", "its shell does not answer"),
        ("says-nothing", "exec sleep 1000", "its shell does not answer; try by hand: ssh says-nothing true"),
        ("answers-without-end", SHELL.format("exec cat /dev/zero"), "a look at the target is longer than 1024 KB"),
        ("errs-without-end", SHELL.format("exec cat /dev/zero >&2"), "a look at the target is longer than 1024 KB"),
        ("never-answers", SHELL.format("exec sleep 1000"), "a look at the target did not end within 3 s"),
        ("lies", SHELL.format("printf '%s' {lie}"), "expected a description of the machine, found root '/x; touch"),
    ],
)
def test_a_hostile_target_is_one_failed_line(lab, deploy, wheels, monkeypatch, name, login, words):
    monkeypatch.setattr("fer_edge.device.deploy.connection.LOGIN_S", 3.0)
    monkeypatch.setattr("fer_edge.device.deploy.child.CLOSING_S", 1.0)
    monkeypatch.setattr("fer_edge.device.deploy.steps.TARGET_S", 3.0)
    lie = "'" + answer(root="/x; touch pwn") + "'"
    lab.target(name).tool("login", login.replace("{lie}", lie))
    result = deploy("--wheel", wheels("1.0"), name, "--json")
    assert result.exit_code == 1, result.output
    assert words in json.loads(result.stdout)["hosts"][0]["error"]
    assert "Traceback" not in result.output
