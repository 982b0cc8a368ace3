"""The documents say what the results say, and their links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    ROOT / "observability/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "edge/models").glob("*.md")),
]


def test_tables_are_generated_from_the_results():
    command = [sys.executable, ROOT / "benchmarks/tables.py", "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text())
    missing = [t for t in targets if not t.startswith(("http", "mailto")) and not (document.parent / t).exists()]
    assert not missing
