"""Results of single questions, and the tables of docs/wild.md that show them, each between its own marks."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fer_edge.files import write_atomically
from fer_edge.machine import describe_machine

PAGE = Path(__file__).resolve().parents[2] / "docs" / "wild.md"


def keep(path: Path, command: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write a result with its date, the command that makes it and the machine; return all of it."""
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    result = {"date": date, "command": command, "machine": describe_machine(), **facts}
    write_atomically(path, json.dumps(result, indent=1).encode() + b"\n")
    return result


def write_table(name: str, text: str) -> None:
    """Replace the table between ``<!-- kept NAME -->`` and ``<!-- end -->``."""
    PAGE.write_text(with_table(PAGE.read_text(), name, text))


def with_table(page: str, name: str, text: str) -> str:
    """Return the text of a page with that table replaced."""
    mark = re.compile(rf"(<!-- kept {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    return mark.sub(lambda found: f"{found[1]}{text}\n{found[2]}", page)


def origin(result: dict[str, Any]) -> str:
    """Say where a result is from."""
    machine = result["machine"]
    name = machine["board"] or f"{machine['cores']}-core {machine['architecture']} workstation ({machine['processor']})"
    return f"Made by `{result['command']}` on {result['date'][:10]} on a {name}."
