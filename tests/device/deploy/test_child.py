"""Programs that never end, never answer, or write without end."""

import subprocess
import sys
import time

import pytest

from fer_edge.device.deploy.child import ANSWER_BYTES, ask, held, killed_after
from fer_edge.errors import DeployError


def python(text):
    return [sys.executable, "-S", "-c", text]


def test_an_answer_comes_with_its_status_and_both_its_texts():
    answer = ask(python("import sys; sys.stderr.write('b'); sys.exit(len(input()))"), "it", 60, "abc\n")
    assert (answer.status, answer.stdout, answer.stderr) == (3, "", "b")


def test_one_that_reads_nothing_is_no_fault():
    assert ask(["true"], "it", 60, "x" * 1_000_000).status == 0


@pytest.mark.parametrize("stream", [1, 2])
def test_an_answer_without_end_ends(stream):
    endless = f"import os\nwhile True: os.write({stream}, b'y' * 65536)"
    with pytest.raises(DeployError, match="the answer is longer than 1024 KB"):
        ask(python(endless), "the answer", 60)


def test_one_that_never_ends_is_ended():
    started = time.monotonic()
    with pytest.raises(DeployError, match="it did not end within 1 s; look at the machine, then deploy again"):
        ask(["sleep", "100"], "it", 1)
    assert time.monotonic() - started < 30


def test_what_a_program_leaves_behind_does_not_hold_up_its_answer(monkeypatch):
    monkeypatch.setattr("fer_edge.device.deploy.child.CLOSING_S", 0.5)
    with subprocess.Popen(["sleep", "100"], stdout=subprocess.PIPE) as other:
        try:
            answer = ask(["sh", "-c", "echo done; sleep 20 &"], "it", 60)
        finally:
            other.kill()
    assert answer.stdout == "done\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("print('welcome'); print('fer-edge:ready', flush=True); input()", "ready"),
        ("import time; time.sleep(100)", ""),
        ("import sys\nwhile True: sys.stdout.write('y' * 65536)", ""),
        ("print('fer-edge:rea', end='')", "rea"),
        ("pass", ""),
    ],
    ids=["greeting", "silence", "endless line", "end in the line", "nothing"],
)
def test_the_first_word_of_a_held_program(text, expected, monkeypatch):
    monkeypatch.setattr("fer_edge.device.deploy.child.CLOSING_S", 0.5)
    with held(python(text)) as program:
        wait = 2 if "sleep" in text else 60
        assert program.answer("hello", "fer-edge:", wait) == expected


def test_a_program_that_takes_no_more_is_ended(monkeypatch):
    monkeypatch.setattr("fer_edge.device.deploy.child.CLOSING_S", 0.5)
    with held(["sleep", "100"]) as program, killed_after(program, 1) as late:
        with pytest.raises(BrokenPipeError):
            while True:
                program.stdin.write(bytes(65536))
        assert late.wait(10)


def test_errors_without_end_are_not_kept(monkeypatch):
    monkeypatch.setattr("fer_edge.device.deploy.child.CLOSING_S", 0.5)
    with held(python("import os\nwhile True: os.write(2, b'y' * 65536)")) as program:
        program.process.wait(30)
        assert len(program.errors()) <= ANSWER_BYTES


def test_one_that_may_take_its_time_gets_it(monkeypatch):
    monkeypatch.setattr("fer_edge.device.deploy.child.CLOSING_S", 0.2)
    with held(["sh", "-c", "cat; sleep 1; exit 3"]) as program:
        program.stdin.close()
        assert program.wait(60) == 3
