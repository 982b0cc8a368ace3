"""Asking `probe` in a child process, so that a crash or a hanging driver becomes an answer."""

from __future__ import annotations

import dataclasses
import json
import signal
from typing import Any

from fer_edge.device.doctor.system import System

SIGNALS = {
    signal.SIGILL: "illegal instruction: the installed build wants a newer processor",
    signal.SIGKILL: "killed, perhaps for want of memory",
}


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        value: the topic's result; None after an error.
        error: class of the exception, ``Crash`` or ``Timeout``; empty if there was none.
        message: one line about the error.
        ours: the error is a `FerEdgeError`, whose message ends with what to do.
        module: the module that could not be found, where that is the error.
    """

    value: Any = None
    error: str = ""
    message: str = ""
    ours: bool = False
    module: str = ""

    def lacks(self, *packages: str) -> bool:
        """Say whether the error is that one of these packages is not installed at all."""
        return self.error == "ModuleNotFoundError" and self.module in packages


def ask(system: System, topic: str, *arguments: str, seconds: float = 60.0) -> Answer:
    """Ask `probe` about a topic and wait for at most `seconds`."""
    # -P: what happens to lie in the current folder is not imported, as it is not by the fer-edge command.
    ran = system.run(
        *system.python.command, "-P", "-m", "fer_edge.device.doctor.probe", topic, *arguments, seconds=seconds
    )
    if ran is None:
        return Answer(error="Crash", message=f"{system.python.command[0]} cannot be started")
    if ran.status is None:
        return Answer(error="Timeout", message=f"no answer within {seconds:g} seconds")
    if ran.status < 0:
        number = signal.Signals(-ran.status)
        return Answer(error="Crash", message=SIGNALS.get(number, f"the process died of {number.name}"))
    try:
        return Answer(**json.loads(ran.out))
    except (ValueError, TypeError):
        said = ran.err.strip().splitlines() or ["without a word"]
        return Answer(error="Crash", message=f"the process ended with status {ran.status}: {said[-1]}")
