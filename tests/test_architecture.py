"""Who may import whom, and how long a module may be."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ALLOWED = {
    "edge": set(),
    "device": {"edge"},
    "train": {"edge"},
    "convert": {"edge", "train"},
}
MODULES = sorted(path for package in ALLOWED for path in (ROOT / package).rglob("*.py"))


def package_of(module: str) -> str | None:
    parts = module.split(".")
    if parts[0] != "fer_edge":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in ALLOWED else "edge"


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {package for package in map(package_of, names) if package}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_keep_the_rules(path):
    package = path.relative_to(ROOT).parts[0]
    assert imported(path) <= ALLOWED[package] | {package}


def test_modules_are_short():
    long = {str(path.relative_to(ROOT)): n for path in MODULES if (n := len(path.read_text().splitlines())) > 350}
    assert not long


def test_the_device_never_imports_the_workstations_packages():
    for path in (ROOT / "device").rglob("*.py"):
        text = path.read_text()
        for name in ("tensorflow", "keras", "rich", "matplotlib", "PIL"):
            assert f"import {name}" not in text, f"{path} imports {name}"
