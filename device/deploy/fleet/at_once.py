"""Deployments to several machines at once, and what came of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from fer_edge.device.deploy.fleet.inventory import Member
from fer_edge.device.deploy.host import Deployment, HostResult, Report
from fer_edge.device.deploy.request import Request

AT_ONCE = 16
"""Machines deployed to at once: each costs this one a few ssh processes and its share of the network."""


def deploy(
    hosts: Sequence[str], request: Request, *, config: Path | None = None, dry_run: bool = False, report: Report
) -> list[HostResult]:
    """Deploy to each of `hosts`, all at once; return the results in their order.

    Args:
        hosts: ``USER@HOST``, or names of the ssh configuration.
        request: what to deploy.
        config: an ssh configuration instead of the user's.
        dry_run: only look, and say what would be done.
        report: told of each step's beginning and end, from several threads.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda host: Deployment(host, request, config, report).run(dry_run), hosts))


def deploy_members(
    members: Sequence[Member],
    wheel: Path | None,
    wheelhouse: Path | None,
    *,
    config: Path | None,
    dry_run: bool,
    report: Report,
) -> list[HostResult]:
    """Deploy to each of `members` what the fleet's file says for it, as a service, all at once; as `deploy` does.

    Without a `wheel`, the model alone is sent.
    """

    def one(member: Member) -> HostResult:
        request = Request(
            wheel, member.model, wheel is not None, member.options, root=member.path, wheelhouse=wheelhouse
        )
        return Deployment(member.host, request, config, report).run(dry_run)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, members))


def to_json(results: Sequence[HostResult]) -> dict[str, Any]:
    """Return the results as a JSON-ready document."""
    return {"ok": all(result.ok for result in results), "hosts": [dataclasses.asdict(result) for result in results]}


def to_table(results: Sequence[HostResult]) -> str:
    """Return a line per machine."""
    rows = [("host", "result", "release", "sent", "seconds", "machine")]
    for result in results:
        seconds = sum(step.seconds for step in result.steps)
        sent = f"{result.sent / 1024:,.0f} KB" if result.sent else "nothing"
        rows.append((result.host, result.state, result.release or "-", sent, f"{seconds:.0f}", result.machine or "-"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def to_plan(results: Sequence[HostResult]) -> str:
    """Return what a dry run found: for each machine the steps, and the commands of those that would be done."""
    lines = []
    for result in results:
        lines.append(f"== {result.host}: {result.machine or 'unknown'}")
        for step in result.steps:
            lines.append(
                f"{step.name}: " + {"already": "already so", "planned": "would run"}.get(step.state, step.state)
            )
            lines += [f"    {line}".rstrip() for line in step.commands.splitlines()]
    return "\n".join(lines)
