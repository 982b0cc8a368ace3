"""What a target is, as it says itself."""

from __future__ import annotations

import dataclasses

MARK = "fer-edge:"
"""Begins the lines that are the answer: a login shell may print others."""


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


def parse_target(answer: str) -> Target:
    """Read what the script printed.

    Raises:
        ValueError: something is missing.
    """
    marked = (line.removeprefix(MARK) for line in answer.splitlines() if line.startswith(MARK))
    values = dict(line.split("=", 1) for line in marked if "=" in line)
    names = [field.name for field in dataclasses.fields(Target)]
    missing = [name for name in names if name not in values]
    if missing:
        raise ValueError(f"no {', '.join(missing)} in the answer")
    return Target(**{name: values[name] for name in names})
