"""Tables of docs/wild.md that are written from kept results, each between its own marks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "wild.md"


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
