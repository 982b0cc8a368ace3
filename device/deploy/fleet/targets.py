"""The machines of a fleet for Prometheus: a file of its file-based service discovery."""

from __future__ import annotations

import json

from fer_edge.device.deploy.fleet.inventory import Fleet, Member
from fer_edge.device.outputs.address import parse_listen
from fer_edge.errors import DeployError


def to_targets(fleet: Fleet) -> str:
    """Return the targets as JSON, one entry a group (prometheus.io, ``file_sd_config``).

    Raises:
        DeployError: no machine answers Prometheus on an address that can be reached.
    """
    groups: dict[str, list[str]] = {}
    for member in fleet.members:
        if address := _metrics_address(member):
            groups.setdefault(member.group, []).append(address)
    if not groups:
        raise DeployError(
            "expected machines whose options have --metrics on an address that others can reach, found none; add "
            "--metrics 0.0.0.0:9600 to the options in the file"
        )
    entries = [{"targets": sorted(targets), "labels": {"group": group}} for group, targets in groups.items()]
    return json.dumps(entries, indent=1) + "\n"


def _metrics_address(member: Member) -> str | None:
    """Return HOST:PORT where a machine answers Prometheus, or None; a loopback address is nobody else's."""
    listen = ""
    for option, following in zip(member.options, (*member.options, "")[1:], strict=True):
        if option == "--metrics":
            listen = following
        elif option.startswith("--metrics="):
            listen = option.removeprefix("--metrics=")
    if not listen:
        return None
    try:
        parsed = parse_listen(listen)
    except ValueError as error:
        raise DeployError(f"{member.host}: --metrics {listen}: {error}") from error
    if parsed.host in ("127.0.0.1", "::1", "localhost"):
        return None
    host = f"[{member.address}]" if ":" in member.address else member.address
    return f"{host}:{parsed.port}"
