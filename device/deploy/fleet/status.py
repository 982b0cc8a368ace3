"""How the machines of a fleet are, as they say over ssh."""

from __future__ import annotations

import dataclasses
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from fer_edge.device.deploy.connection import Connection
from fer_edge.device.deploy.explain import explain_step
from fer_edge.device.deploy.fleet.inventory import Fleet, Member
from fer_edge.device.deploy.steps import status_step
from fer_edge.device.deploy.target import MARK
from fer_edge.errors import DeployError
from fer_edge.model_file import file_hash
from fer_edge.shipped import shipped_models
from fer_edge.text import printable

AT_ONCE = 32
"""Machines asked at once; each costs a process of ssh."""
UNDER_VOLTAGE, THROTTLED_NOW = 0x1, 0x4
"""Bits of the firmware's answer, as Raspberry Pi's documentation of ``vcgencmd get_throttled`` has them."""


@dataclasses.dataclass(frozen=True)
class HostStatus:
    """How one machine is.

    Attributes:
        host: as it was named.
        group: that it is in.
        ok: it answers, and its service is active.
        version: of fer-edge; None where none is installed.
        release: name of the release.
        model: name of a shipped model, or the first 12 digits of another file's SHA-256; None for the wheel's own.
        model_sha256: of the model file.
        service: ``active``, ``inactive``, ``failed``, ...; None without systemd.
        fps: frames per second, as the service says.
        restarts: of the service by systemd, since it was started by hand.
        temperature_c: degrees Celsius.
        throttled: what limits the processor now: ``no``, ``under-voltage``, ``throttled``; None where none can say.
        load: average of the last minute.
        error: why it could not be asked; else empty.
    """

    host: str
    group: str
    ok: bool
    version: str | None = None
    release: str | None = None
    model: str | None = None
    model_sha256: str | None = None
    service: str | None = None
    fps: float | None = None
    restarts: int | None = None
    temperature_c: float | None = None
    throttled: str | None = None
    load: float | None = None
    error: str = ""


def ask_all(fleet: Fleet, config: Path | None) -> list[HostStatus]:
    """Ask every machine, all at once; return the answers in their order.

    Args:
        fleet: the machines.
        config: an ssh configuration instead of the user's.
    """
    names = {file_hash(path): name for name, path in shipped_models().items()}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda member: _ask(member, config, names), fleet.members))


def _ask(member: Member, config: Path | None, names: dict[str, str]) -> HostStatus:
    step = status_step(member.path)
    try:
        with Connection(member.host, config) as connection:
            answer = connection.run(step.script, "act", step.timeout_s, "a look at its status")
        if answer.status:
            raise DeployError(explain_step(answer.stderr))
    except (DeployError, OSError) as error:
        return HostStatus(member.host, member.group, False, error=str(error))
    return parse_status(answer.stdout, member, names)


def parse_status(answer: str, member: Member, names: dict[str, str]) -> HostStatus:
    """Read what ``scripts/status.sh`` printed; what is not as expected is taken for unknown.

    Args:
        answer: all of its standard output; a target may say anything.
        member: the machine.
        names: SHA-256 -> name of a shipped model.
    """
    marked = (line.removeprefix(MARK) for line in answer.splitlines() if line.startswith(MARK))
    said = dict(line.split("=", 1) for line in marked if "=" in line)

    def matched(key: str, pattern: str) -> str | None:
        found = re.fullmatch(pattern, said.get(key, "").strip(), re.ASCII)
        return found[0] if found else None

    digest = matched("model", r"[0-9a-f]{64}")
    temperature, load = matched("temperature", r"-?\d{1,6}"), matched("load", r"\d{1,6}(\.\d+)?")
    fps = re.match(r"(\d{1,5}(?:\.\d+)?) frames per second", said.get("says", ""))
    service = matched("service", r"[a-z-]{1,20}")
    restarts = matched("restarts", r"\d{1,9}")
    return HostStatus(
        member.host,
        member.group,
        service == "active",
        version=matched("version", r"[0-9A-Za-z.+-]{1,40}"),
        release=matched("release", r"[0-9a-f]{16}"),
        model=names.get(digest, digest[:12]) if digest else None,
        model_sha256=digest,
        service=service,
        fps=float(fps[1]) if fps else None,
        restarts=int(restarts) if restarts else None,
        temperature_c=int(temperature) / 1000 if temperature else None,
        throttled=_throttled(matched("throttled", r"0x[0-9a-fA-F]{1,8}")),
        load=float(load) if load else None,
    )


def _throttled(bits: str | None) -> str | None:
    if bits is None:
        return None
    value = int(bits, 16)
    if value & UNDER_VOLTAGE:
        return "under-voltage"
    return "throttled" if value & THROTTLED_NOW else "no"


def to_json(answers: list[HostStatus]) -> dict[str, Any]:
    """Return the answers as a JSON-ready document."""
    return {"ok": all(answer.ok for answer in answers), "hosts": [dataclasses.asdict(answer) for answer in answers]}


COLUMNS = ("host", "group", "service", "version", "model", "fps", "temperature", "throttled", "restarts")


def to_table(answers: list[HostStatus]) -> str:
    """Return a line per machine, and under it why it could not be asked."""
    rows: list[tuple[str, ...]] = [COLUMNS]
    for answer in answers:
        temperature = None if answer.temperature_c is None else f"{answer.temperature_c:.0f} °C"
        values: list[object] = [answer.host, answer.group, answer.service or ("unreachable" if answer.error else None)]
        values += [answer.version, answer.model, answer.fps, temperature, answer.throttled, answer.restarts]
        rows.append(tuple("-" if value is None else str(value) for value in values))
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join(lines + [printable(f"{answer.host}: {answer.error}", 500) for answer in answers if answer.error])
