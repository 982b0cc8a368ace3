import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from fer_edge.device.doctor.child import ask
from fer_edge.device.doctor.system import Python, System


def test_this_machine():
    system = System.here()
    assert system.python == Python.here()
    assert system.python.command == (sys.executable,)
    assert system.path("/proc/cpuinfo").exists()


def test_files(machine):
    machine.file("/proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")
    assert machine.system.board == "Raspberry Pi 5 Model B Rev 1.0"
    assert machine.system.is_raspberry_pi
    assert machine.system.read("/no/such/file") is None
    assert machine.system.read("/proc") is None


def test_programs(machine):
    machine.program("speak", 'echo "$LC_ALL" "$@"; echo badly >&2; exit 3')
    ran = machine.system.run("speak", "a b", "c")
    assert (ran.status, ran.out, ran.err) == (3, "C.UTF-8 a b c\n", "badly\n")
    assert machine.system.run("no-such-program") is None
    machine.program("binary", "printf '\\377'")
    assert machine.system.run("binary").out == "\ufffd"


@pytest.fixture
def hanging(machine, tmp_path):
    """Run a program that hangs and has started another one; afterwards neither is left."""
    machine.environ["PATH"] += ":/bin:/usr/bin"
    # The child keeps the output open and would outlive its parent.
    machine.program("hang", f"sleep 60 & echo $! > {tmp_path}/child; wait")
    yield machine.system.run
    child = int((tmp_path / "child").read_text())
    for _ in range(50):
        try:
            if Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":  # dead, but nobody has asked for it yet
                return
        except FileNotFoundError:
            return
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the child lives on")


def test_a_program_that_hangs_ends_with_all_that_it_started(hanging):
    start = time.monotonic()
    assert hanging("hang", seconds=0.5).status is None
    assert time.monotonic() - start < 5


def test_ctrl_c_ends_the_program_as_well(hanging):
    before = signal.signal(signal.SIGUSR1, signal.default_int_handler)
    try:
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        with pytest.raises(KeyboardInterrupt):
            hanging("hang")
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_the_pip_that_installs_where_fer_edge_looks(machine, tmp_path):
    machine.set_python(prefix=tmp_path / "e")
    assert machine.system.pip == f"{tmp_path}/e/bin/pip"
    machine.environ["VIRTUAL_ENV"] = str(tmp_path / "e")
    assert machine.system.pip == "pip"
    machine.environ["VIRTUAL_ENV"] = str(tmp_path / "other")
    assert machine.system.pip == f"{tmp_path}/e/bin/pip"


def numpy_that(machine, code):
    machine.module("numpy", code)
    return ask(machine.system, "numpy", seconds=2)


def test_an_answer(machine):
    answer = numpy_that(machine, "__version__ = '1.24.2'")
    assert (answer.error, answer.value) == ("", {"version": "1.24.2"})


def test_chatter_on_either_stream_is_no_part_of_the_answer(machine):
    code = "import os; print('hello'); os.system('echo hello; echo hello >&2'); __version__ = '1'"
    machine.environ["PATH"] += ":/bin"
    assert numpy_that(machine, code).value == {"version": "1"}


def test_a_missing_module_is_told_from_a_broken_one(machine):
    missing = ask(machine.system, "numpy")
    assert missing.lacks("numpy")
    assert not missing.lacks("cv2")
    assert not numpy_that(machine, "import numpy._core_that_is_gone").lacks("numpy")


def test_the_cause_at_the_bottom_is_named(machine):
    code = (
        "try:\n    raise OSError('libX.so: cannot open')\n"
        "except OSError as e:\n    raise ImportError('\\n\\nREAD THIS\\n') from e"
    )
    answer = numpy_that(machine, code)
    assert (answer.error, answer.message) == ("ImportError", "libX.so: cannot open")
    assert numpy_that(machine, "raise ValueError").message == "ValueError"
    assert numpy_that(machine, "raise ValueError('\\n one \\n two')").message == "one"


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "Crash", "illegal instruction"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "Crash", "want of memory"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "Crash", "died of SIGSEGV"),
        ("import sys; sys.exit('no way')", "Crash", "ended with status 1: no way"),
        ("import os; os._exit(0)", "Crash", "ended with status 0: without a word"),
        ("import time; time.sleep(60)", "Timeout", "no answer within 2 seconds"),
    ],
)
def test_a_process_that_does_not_answer(machine, code, error, message):
    answer = numpy_that(machine, code)
    assert answer.error == error
    assert message in answer.message


def test_the_current_folder_is_not_searched(machine, tmp_path, monkeypatch):
    (tmp_path / "numpy.py").write_text("__version__ = '0'")
    monkeypatch.chdir(tmp_path)
    assert ask(machine.system, "numpy").lacks("numpy")


def test_a_python_that_is_gone(machine):
    machine.set_python(command=("/no/such/python",))
    assert ask(machine.system, "numpy").message == "/no/such/python cannot be started"
