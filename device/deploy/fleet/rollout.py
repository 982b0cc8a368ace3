"""A deployment in stages: one machine first, then the others in batches, and no further than the first failure."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from fer_edge.device.deploy.fleet.inventory import Fleet, Member
from fer_edge.device.deploy.host import HostResult

SKIPPED = "skipped"
"""State of a machine that was not deployed to, because one before it failed."""


def roll_out(
    fleet: Fleet,
    deploy: Callable[[list[Member]], list[HostResult]],
    stage: Callable[[list[Member]], None] = lambda members: None,
) -> list[HostResult]:
    """Deploy to the canary, then batch by batch while all of them are well.

    A machine on which the new version does not stay up has gone back to the one before by itself
    (``scripts/activate.sh``); those that had it already keep it.

    Args:
        fleet: the machines.
        deploy: deploys to some of them at once; the results are in their order.
        stage: told of each stage before it begins.

    Returns:
        A result for every machine, in their order.
    """
    waiting = iter(fleet.members)
    results: list[HostResult] = []
    size = 1
    while members := list(islice(waiting, size)):
        stage(members)
        results += deploy(members)
        size = fleet.batch
        failed = [result for result in results if not result.ok]
        if failed:
            reason = f"not tried, because {failed[0].host} failed"
            results += [HostResult(member.host, False, SKIPPED, "", 0, (), error=reason) for member in waiting]
    return results
