"""Findings as text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from fer_edge.device.doctor.finding import Finding, Status

MARKS = {Status.OK: "✓", Status.WARNING: "!", Status.PROBLEM: "✗", Status.UNKNOWN: "?"}
PLAIN_MARKS = {**MARKS, Status.OK: "+", Status.PROBLEM: "x"}
COLOURS = {Status.OK: 32, Status.WARNING: 33, Status.PROBLEM: 31}
"""Green, yellow, red (ECMA-48, select graphic rendition); `click.echo` takes them out where nobody sees them."""


def to_text(finding: Finding, name_width: int, width: int, encoding: str) -> str:
    """Return a finding as a line, wrapped if it is long, and below it what mends it.

    Args:
        finding: what to show.
        name_width: columns of the names.
        width: columns of the terminal; commands are never wrapped, so that they can be copied.
        encoding: of the terminal; where it lacks the marks, ASCII stands in.
    """
    marks = MARKS if _can_encode("".join(MARKS.values()), encoding) else PLAIN_MARKS
    head = f"{_coloured(marks[finding.status], finding.status, bold=True)} {finding.name:{name_width}}  "
    indent = name_width + 4
    found = textwrap.wrap(
        _encodable(finding.found, encoding), max(width - indent, 20), break_on_hyphens=False, break_long_words=False
    ) or [""]
    lines = [head + found[0], *(" " * indent + line for line in found[1:])]
    if finding.advice:
        lines.append(" " * indent + _coloured(f"-> {_encodable(finding.advice, encoding)}", finding.status))
    return "\n".join(lines)


def verdict(findings: Sequence[Finding]) -> str:
    """Return the last line: ready or not."""
    counts = []
    for status in (Status.PROBLEM, Status.WARNING):
        count = sum(finding.status is status for finding in findings)
        if count:
            counts.append(f"{count} {status}{'' if count == 1 else 's'}")
    return ("Ready" if is_ready(findings) else "Not ready") + (f": {', '.join(counts)}." if counts else ".")


def is_ready(findings: Sequence[Finding]) -> bool:
    """Say whether nothing is a problem."""
    return all(finding.status is not Status.PROBLEM for finding in findings)


def _coloured(text: str, status: Status, *, bold: bool = False) -> str:
    colour = COLOURS.get(status)
    return f"\x1b[{colour}{';1' if bold else ''}m{text}\x1b[0m" if colour else text


def _can_encode(text: str, encoding: str) -> bool:
    return text == _encodable(text, encoding)


def _encodable(text: str, encoding: str) -> str:
    return text.encode(encoding, "replace").decode(encoding)
