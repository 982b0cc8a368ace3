"""A deployment to one machine."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from fer_edge.device.deploy.connection import Connection
from fer_edge.device.deploy.explain import explain_step
from fer_edge.device.deploy.payload import Payload, make_payload, model_payload, stage
from fer_edge.device.deploy.request import Request
from fer_edge.device.deploy.steps import ALREADY, Step, plan, target_step
from fer_edge.device.deploy.target import Target, parse_target
from fer_edge.device.deploy.wheelhouse import fill_wheelhouse
from fer_edge.errors import DeployError, FerEdgeError

CHECK_S = 300.0
"""Longest that a check may take: it reads 225 MB from an SD card, or starts Python once."""

HOUSEKEEPING = ("clean", "tidy")
"""Steps that remove what nothing points to."""

Report = Callable[[str, str, str], None]
"""Called with host, step and state when a step begins (``...``) and when it ends."""


@dataclasses.dataclass(frozen=True)
class StepResult:
    """How a step went.

    Attributes:
        name: of the step.
        state: ``ok`` (a look that found nothing wrong), ``already`` (it was so), ``done``, ``failed``, or
            ``planned`` in a dry run.
        seconds: how long it took.
        commands: what would be run, in a dry run; else empty.
    """

    name: str
    state: str
    seconds: float
    commands: str = ""


@dataclasses.dataclass(frozen=True)
class HostResult:
    """How a deployment to one machine went.

    Attributes:
        host: as it was named.
        ok: whether the new version is in place, or, in a dry run, could be reached.
        state: ``deployed``, ``unchanged`` (all of it was so before), ``planned`` or ``failed``.
        release: name of the release, or an empty string if it was not known yet.
        sent: bytes of files sent.
        steps: those that were gone through.
        machine: what the target is, for people.
        error: why it failed, and what to do; else empty.
    """

    host: str
    ok: bool
    state: str
    release: str
    sent: int
    steps: tuple[StepResult, ...]
    machine: str = ""
    error: str = ""


class Deployment:
    """One deployment; `run` does it."""

    def __init__(self, host: str, request: Request, config: Path | None, report: Report) -> None:
        """Prepare a deployment of `request` to `host`; `config` is an ssh configuration instead of the user's."""
        self._host, self._request, self._config, self._report = host, request, config, report
        self._steps: list[StepResult] = []
        self._release = self._machine = ""
        self._sent = 0

    def run(self, dry_run: bool = False) -> HostResult:
        """Deploy, or with `dry_run` only look. What goes wrong is in the result."""
        try:
            with Connection(self._host, self._config) as connection:
                with self._timed("target") as done:
                    target = self._look(connection)
                    done("ok")
                payload = self._gather(target)
                steps = plan(self._request, payload)
                if dry_run:
                    self._rehearse(connection, steps)
                    return self._result("planned")
                with connection.lock(target.root):
                    for step in steps:
                        with self._timed(step.name) as done:
                            done(self._do(connection, step, payload, target))
        except (FerEdgeError, OSError) as error:
            return self._result("failed", str(error))
        changed = any(step.state == "done" for step in self._steps if step.name not in HOUSEKEEPING)
        return self._result("deployed" if changed else "unchanged")

    def _look(self, connection: Connection) -> Target:
        step = target_step(self._request)
        answer = connection.run(step.script, "act", step.timeout_s, "a look at the target")
        if answer.status:
            raise DeployError(explain_step(answer.stderr))
        try:
            target = parse_target(answer.stdout, self._request.root)
        except ValueError as error:
            raise DeployError(f"expected a description of the machine, found {error}; is its shell sh-like?") from error
        self._machine = target.describe()
        return target

    def _gather(self, target: Target) -> Payload:
        wheel, model, wheels = self._request.wheel, self._request.model, None
        if wheel is None:
            if model is None:
                raise DeployError("expected a wheel or a model to send, found neither")
            return model_payload(model)
        if self._request.wheelhouse:
            self._report(self._host, "wheelhouse", "...")
            wheels = fill_wheelhouse(self._request.wheelhouse, wheel, target)
        payload = make_payload(wheel, model, wheels)
        self._release = payload.release
        return payload

    def _rehearse(self, connection: Connection, steps: tuple[Step, ...]) -> None:
        for step in steps:
            is_so = self._is_so(connection, step)
            state, commands = ("already", "") if is_so else ("planned", step.body)
            self._steps.append(StepResult(step.name, state, 0.0, commands))

    def _do(self, connection: Connection, step: Step, payload: Payload, target: Target) -> str:
        answer = connection.run(step.script, "act", step.timeout_s, step.name)
        if answer.status:
            raise DeployError(f"{step.name}: {explain_step(answer.stderr)}")
        if ALREADY in answer.stdout.splitlines():
            return "already"
        if step.sends:
            with tempfile.TemporaryDirectory() as folder:
                stage(payload, Path(folder))
                destination = f"{target.root}/{payload.folder}"
                like = f"{target.root}/current/payload"
                self._sent = connection.send(Path(folder), destination, bool(target.rsync), like)
            if not self._is_so(connection, step):
                raise DeployError(f"{step.name}: what arrived is not what was sent; deploy again")
        return "done"

    def _is_so(self, connection: Connection, step: Step) -> bool:
        answer = connection.run(step.script, "check", CHECK_S, f"the check of {step.name}")
        if answer.status not in (0, 1):
            raise DeployError(f"{step.name}: {explain_step(answer.stderr)}")
        return answer.status == 0

    @contextlib.contextmanager
    def _timed(self, name: str) -> Iterator[Callable[[str], None]]:
        """Report the beginning and end of a step and note it; the block passes on its state, or it failed."""
        state = "failed"

        def done(value: str) -> None:
            nonlocal state
            state = value

        self._report(self._host, name, "...")
        started = time.monotonic()
        try:
            yield done
        finally:
            self._steps.append(StepResult(name, state, round(time.monotonic() - started, 1)))
            self._report(self._host, name, state)

    def _result(self, state: str, error: str = "") -> HostResult:
        ok = state != "failed"
        return HostResult(self._host, ok, state, self._release, self._sent, tuple(self._steps), self._machine, error)
