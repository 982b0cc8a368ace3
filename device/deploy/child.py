"""Programs that a deployment runs here, with an end to their time and to their output.

What a target answers comes through them, and it is trusted with neither: one that writes without end must not fill
this machine's memory, and one that says nothing must not hold up the others.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import select
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from typing import IO

from fer_edge.errors import DeployError

ANSWER_BYTES = 1 << 20
"""Longest answer of a program, standard output and error each; the longest real one, pip's, has a few kilobytes."""
GREETING_BYTES = 1 << 16
"""What a login shell may print before the answer."""
CLOSING_S = 5.0
"""Time for a program to end after its standard input has."""
_PIECE_BYTES = 1 << 16


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a script on the target answered: its exit status and its text."""

    status: int
    stdout: str
    stderr: str


class _Pipe:
    """Reads a pipe to its end in a thread of its own; a program that writes more than it may is killed."""

    def __init__(self, pipe: IO[bytes], child: subprocess.Popen[bytes]) -> None:
        self.too_long = False
        self._pipe, self._child = pipe, child
        self._kept = bytearray()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def text(self) -> str:
        """Return what came so far."""
        return bytes(self._kept).decode(errors="replace")

    def wait(self, timeout_s: float) -> None:
        """Wait for the end of the pipe; what a program left behind may hold it open."""
        self._thread.join(timeout_s)

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: closed by the owner
            while piece := os.read(self._pipe.fileno(), _PIECE_BYTES):
                if len(self._kept) + len(piece) > ANSWER_BYTES:
                    self.too_long = True
                    self._child.kill()
                    return
                self._kept += piece


def ask(command: Sequence[str], what: str, timeout_s: float, script: str = "") -> Answer:
    """Run a program to its end and return what it answered.

    Args:
        command: program and arguments.
        what: it is, for messages: "the answer to target".
        timeout_s: longest it may take, in seconds.
        script: its standard input.

    Raises:
        DeployError: it took longer, or wrote more than `ANSWER_BYTES`.
    """
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdin
        assert child.stdout
        assert child.stderr
        pipes = [_Pipe(child.stdout, child), _Pipe(child.stderr, child)]
        writer = threading.Thread(target=_write, args=(child.stdin, script.encode()), daemon=True)
        writer.start()
        try:
            child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            child.kill()
            raise DeployError(
                f"{what} did not end within {timeout_s:.0f} s; look at the machine, then deploy again"
            ) from None
        finally:
            child.kill()
            writer.join(CLOSING_S)
            for pipe in pipes:
                pipe.wait(CLOSING_S)
        if any(pipe.too_long for pipe in pipes):
            raise DeployError(f"{what} is longer than {ANSWER_BYTES >> 10} KB, which no step of a deployment writes")
        return Answer(child.returncode, pipes[0].text(), pipes[1].text())


def _write(stream: IO[bytes], data: bytes) -> None:
    with contextlib.suppress(OSError):  # it ended without reading
        stream.write(data)
        stream.close()


class Held:
    """A program that lasts until its standard input ends, which the end of the block sees to."""

    def __init__(self, command: Sequence[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self.process.stdin
        assert self.process.stdout
        assert self.process.stderr
        self.stdin, self._stdout = self.process.stdin, self.process.stdout
        self._errors = _Pipe(self.process.stderr, self.process)

    def errors(self) -> str:
        """Return what it wrote to standard error so far."""
        return self._errors.text()

    def wait(self, timeout_s: float | None = None) -> int:
        """Wait for its end, which it was asked for or is at, no longer than `timeout_s`; return its exit status.

        It is killed then. None is `CLOSING_S`.
        """
        try:
            status = self.process.wait(CLOSING_S if timeout_s is None else timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self._errors.wait(CLOSING_S)
        return status

    def answer(self, script: str, mark: str, timeout_s: float) -> str:
        """Send a script; return what follows the first `mark` that begins a line.

        Returns:
            The rest of that line; an empty string where the output ended, went on too long, or took more than
            `timeout_s` seconds before it.
        """
        with contextlib.suppress(BrokenPipeError):
            self.stdin.write(script.encode() + b"\n")
            self.stdin.flush()
        deadline, seen = time.monotonic() + timeout_s, b""
        while len(seen) <= GREETING_BYTES:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._stdout], [], [], left)[0]:
                return ""
            piece = os.read(self._stdout.fileno(), _PIECE_BYTES)
            seen += piece
            for line in seen.splitlines(keepends=True):
                if line.startswith(mark.encode()) and (line.endswith(b"\n") or not piece):
                    return line.decode(errors="replace").strip().removeprefix(mark)
            if not piece:
                return ""
        return ""

    def close(self) -> None:
        """End its standard input, wait, and let go of its pipes."""
        with contextlib.suppress(BrokenPipeError):
            self.stdin.close()
        self.wait()
        self._stdout.close()
        assert self.process.stderr
        self.process.stderr.close()


@contextlib.contextmanager
def held(command: Sequence[str]) -> Iterator[Held]:
    """Run a program for as long as the block lasts."""
    program = Held(command)
    try:
        yield program
    finally:
        program.close()


@contextlib.contextmanager
def killed_after(program: Held, timeout_s: float) -> Iterator[threading.Event]:
    """Kill a program that is still being written to after `timeout_s` seconds; the event says that it was."""
    late = threading.Event()

    def end() -> None:
        late.set()
        program.process.kill()

    timer = threading.Timer(timeout_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
