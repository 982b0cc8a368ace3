"""The machine as the checks see it: files below a root, programs on a search path, one Python.

Everything a check learns about the machine comes through here, so that a test can lay out any machine in a
folder, with programs that are small scripts.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
import shutil
import signal
import struct
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

PATIENCE = 10.0
"""Seconds that a small program such as ``vcgencmd`` may take."""


@dataclasses.dataclass(frozen=True)
class Python:
    """The interpreter that runs fer-edge.

    Attributes:
        command: words that start it.
        version: major, minor and micro.
        bits: width of a pointer; 32 on a 32-bit system, even where the kernel and the processor have 64.
        machine: the kernel's word for the architecture, such as ``aarch64``.
        prefix: folder of the virtual environment, or of the installation.
        base_prefix: folder of the installation; differs from `prefix` in a virtual environment.
        stdlib: folder of the standard library.
    """

    command: tuple[str, ...]
    version: tuple[int, int, int]
    bits: int
    machine: str
    prefix: Path
    base_prefix: Path
    stdlib: Path

    @classmethod
    def here(cls) -> Python:
        """Describe the running interpreter."""
        return cls(
            command=(sys.executable,),
            version=sys.version_info[:3],
            bits=struct.calcsize("P") * 8,
            machine=platform.machine(),
            prefix=Path(sys.prefix),
            base_prefix=Path(sys.base_prefix),
            stdlib=Path(sysconfig.get_path("stdlib")),
        )


@dataclasses.dataclass(frozen=True)
class Ran:
    """How a program ended.

    Attributes:
        status: exit status, negative for a signal; None if it was stopped at the time limit.
        out: what it wrote on standard output.
        err: what it wrote on standard error.
    """

    status: int | None
    out: str
    err: str


@dataclasses.dataclass(frozen=True)
class System:
    """Where the checks look.

    Attributes:
        python: the interpreter.
        environ: environment of the programs that are run; its PATH finds them.
        root: folder that stands for ``/``.
        folder: where outputs would be written.
    """

    python: Python
    environ: Mapping[str, str]
    root: Path = Path("/")
    folder: Path = Path()

    @classmethod
    def here(cls) -> System:
        """Return this machine."""
        return cls(Python.here(), os.environ)

    def path(self, path: str) -> Path:
        """Return where an absolute path lies below the root."""
        return self.root / path.lstrip("/")

    def read(self, path: str) -> str | None:
        """Return the text of a file without the white space and NUL bytes around it; None if it cannot be read."""
        try:
            return self.path(path).read_text(errors="replace").strip("\0 \t\r\n")
        except OSError:
            return None

    def run(self, *command: str, seconds: float = PATIENCE) -> Ran | None:
        """Run a program without input; None if there is no such program.

        It gets a session of its own, so that at the time limit it ends together with whatever it has started.
        A program that hangs inside a driver cannot even be killed; it is left behind.
        """
        program = shutil.which(command[0], path=self.environ.get("PATH", os.defpath))
        if program is None:
            return None
        process = subprocess.Popen(
            (program, *command[1:]),
            env={**self.environ, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            return Ran(None, "", "")
        except BaseException:
            _end(process)
            raise
        return Ran(process.returncode, out, err)

    @property
    def board(self) -> str | None:
        """The device tree's name of the board; None on machines without one, such as PCs."""
        return self.read("/proc/device-tree/model")

    @property
    def is_raspberry_pi(self) -> bool:
        """Whether this is a Raspberry Pi."""
        return (self.board or "").startswith("Raspberry Pi")

    @property
    def pip(self) -> str:
        """The pip that installs where fer-edge looks: ``pip`` in an active virtual environment, else its path."""
        if self.environ.get("VIRTUAL_ENV") == str(self.python.prefix):
            return "pip"
        return str(self.python.prefix / "bin" / "pip")


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=1)
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()
