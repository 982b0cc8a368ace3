"""What a target is, as it says itself."""

from __future__ import annotations

import dataclasses
import re

from fer_edge.text import printable

MARK = "fer-edge:"
"""Begins the lines that are the answer: a login shell may print others."""

SHOWN = ("system", "board")
"""Names for people, in any letters."""


@dataclasses.dataclass(frozen=True)
class Target:
    """What ``scripts/target.sh`` found.

    Attributes:
        root: absolute path of the folder of the deployment.
        machine: ``aarch64`` or ``x86_64``.
        python: version of Python as ``3.11``.
        release: version of the system, ``12`` for Raspberry Pi OS 12; may be empty.
        system: its name for people.
        board: the device tree's model, ``Raspberry Pi 5 Model B Rev 1.0``; empty on other machines.
        rsync: path of rsync, or an empty string.
    """

    root: str
    machine: str
    python: str
    release: str
    system: str
    board: str
    rsync: str

    def describe(self) -> str:
        """Return a line for people."""
        return ", ".join(filter(None, (self.board, self.machine, self.system, f"Python {self.python}")))


PATTERNS = {
    "root": r"/[A-Za-z0-9._/-]+",
    "machine": r"aarch64|x86_64",
    "python": r"3\.\d{1,3}",
    "release": r"[A-Za-z0-9._-]{0,30}",
    "system": r".{1,100}",
    "board": r".{0,100}",
    "rsync": r"(?:/[A-Za-z0-9._/+-]+)?",
}
"""What an answer looks like. Paths and versions go into commands, so nothing that a shell would interpret is one."""


def parse_target(answer: str, root: str) -> Target:
    """Read what the script printed.

    Args:
        answer: all of its standard output.
        root: the folder that was asked for, absolute or beginning with ``~/``.

    Raises:
        ValueError: something is missing, or is not what a target says.
    """
    marked = (line.removeprefix(MARK) for line in answer.splitlines() if line.startswith(MARK))
    values = dict(line.split("=", 1) for line in marked if "=" in line)
    for name, pattern in PATTERNS.items():
        if name not in values:
            raise ValueError(f"no {name} in the answer")
        if not re.fullmatch(pattern, values[name], re.ASCII if name not in SHOWN else 0):
            raise ValueError(f"{name} '{printable(values[name], 60)}'")
    asked = root[1:] if root.startswith("~/") else root
    if values["root"] != root and not (root != asked and values["root"].endswith(asked)):
        raise ValueError(f"the folder {values['root']} where {root} was asked for")
    return Target(**{name: printable(values[name]) for name in PATTERNS})
