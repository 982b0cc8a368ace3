"""The steps of a deployment in their order, each a shell script for the target."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Mapping

from fer_edge.device.deploy.credentials import environment_file, split_off
from fer_edge.device.deploy.payload import Payload
from fer_edge.device.deploy.pins import EXTRAS, PINS
from fer_edge.device.deploy.request import Request
from fer_edge.device.deploy.scripts import script
from fer_edge.device.deploy.unit import unit_text
from fer_edge.text.address import HIDDEN

NEEDED_MB = 600
"""Free disk for one more release: 150 to 205 MB installed, 75 MB of wheels, and what pip unpacks meanwhile."""


ALREADY = "fer-edge:already"
"""What a script prints when there was nothing to do."""

SETTINGS = "set -eu\numask 022\nexport LC_ALL=C\n"

SECRET = ("source", "secrets")
"""Variables that may hold passwords."""

TARGET_S = 60.0
"""Longest that the look at a target may take."""

WAIT_S = 900.0
"""For which ``dispatch.sh`` waits for a step of an earlier deployment."""

TIMEOUTS_S = {"install": 3600.0, "doctor": 400.0, "demo": 400.0, "venv": 600.0, "activate": 900.0}
"""Longest that steps may take by themselves; a Pi Zero 2 installs for ten minutes. The others need seconds."""

LOOKS = ("target", "status")
"""Steps that change nothing and only print."""

ALWAYS = ("id", "release")
"""Variables that others are made of; of the rest, a script gets those that it mentions."""


@dataclasses.dataclass(frozen=True)
class Step:
    """Something that must be so on the target.

    Attributes:
        name: one word.
        purpose: a line for people.
        body: the variables and commands that are particular to it, to be shown: without secrets.
        script: a whole POSIX script. With the argument ``check`` it changes nothing and exits with 0 if it is
            already so and with 1 if not. With ``act`` it makes it so, or prints `ALREADY`, and exits with 0;
            other statuses are failures, and a line of standard error that begins with ``fer-edge:`` says why.
        sends: after ``act`` the payload is sent, and a ``check`` says whether it arrived.
        timeout_s: longest that ``act`` may take, in seconds.
    """

    name: str
    purpose: str
    body: str
    script: str
    sends: bool = False
    timeout_s: float = 300.0


def target_step(request: Request) -> Step:
    """Return the step that looks at the target; its ``act`` prints what is there (`fer_edge.device.deploy.target`)."""
    return _step("target", "Check that the machine can run fer-edge", _variables(request))


def status_step(root: str) -> Step:
    """Return the step whose ``act`` prints how the deployment in a folder is; `deploy.fleet.status` reads it."""
    return _step("status", "Say how the machine is", {"root": _root(root), "service": "no"})


def plan(request: Request, payload: Payload) -> tuple[Step, ...]:
    """Return the steps that follow, in their order; up to ``activate`` the version that runs is left alone.

    A model that goes alone has two.
    """
    variables = _variables(request, payload)
    if request.wheel is None:
        return (
            _step("incoming", "Send the model", variables, sends=True),
            _step("model", "Switch to the model, and back if the service does not stay up", variables),
        )
    return (
        _step("clean", "Remove what an interrupted deployment left", variables),
        _step("sync", "Send the wheel and the model", variables, sends=True),
        _step("venv", "Make a virtual environment that sees the system's packages", variables),
        _step("install", "Install the wheel and what it needs", variables),
        _step("doctor", "Ask the new version whether the machine is ready", variables),
        _step("demo", "Run the new version on ten frames", variables),
        _step("activate", "Switch to the new version, and back if it does not stay up", variables),
        dataclasses.replace(_step("clean", "Remove old releases but the one before", variables), name="tidy"),
    )


def _step(name: str, purpose: str, variables: dict[str, str], sends: bool = False) -> Step:
    own = script(name)
    commands = "\n".join([script("common"), own, *([] if name in LOOKS else [script("dispatch")])])
    variables = {**variables, "sends": "yes" if sends else "no"}
    used = {key: value for key, value in variables.items() if key in ALWAYS or re.search(rf"\$\{{?{key}\b", commands)}
    head, shown = _assignments(used), _assignments(used | {key: HIDDEN for key in SECRET if key in used})
    # In braces, the shell reads all of it before it does any of it: half a script is never run. Nothing that it
    # starts may read the script's other half from standard input.
    whole = f"#!/bin/sh\n# fer-edge deploy: {purpose}.\n{{\n{SETTINGS}{head}\n{commands}exit 0\n}} </dev/null\n"
    timeout_s = TARGET_S if name in LOOKS else WAIT_S + TIMEOUTS_S.get(name, 300.0)
    return Step(name, purpose, f"{shown}\n{own}", whole, sends, timeout_s)


def _assignments(variables: Mapping[str, str]) -> str:
    return "".join(f"{key}={value}\n" for key, value in variables.items())


def _variables(request: Request, payload: Payload | None = None) -> dict[str, str]:
    values = {"root": _root(request.root), "service": "yes" if request.service else "no"}
    if payload:
        options, secrets = split_off(request.run_options)
        pins = "".join(f"{machine} {release} {' '.join(pin)}\n" for (machine, release), pin in PINS.items())
        texts = {
            "id": payload.release,
            "wheel": payload.wheel,
            "model": payload.model,
            "offline": "yes" if payload.offline else "no",
            "needed_mb": str(NEEDED_MB),
            "source": request.source,
            "options": shlex.join(options),
            "secrets": environment_file(secrets),
            "extras": ",".join(EXTRAS),
            "pins": pins,
            "sums": payload.sums,
            "unit_text": unit_text(options, payload.model) if request.service else "",
        }
        values |= {name: shlex.quote(text) for name, text in texts.items()}
        values |= {"release": '"$root/releases/$id"', "venv": '"$release/venv"'}
    return values


def _root(root: str) -> str:
    return f'"$HOME"/{shlex.quote(root[2:])}' if root.startswith("~/") else shlex.quote(root)
