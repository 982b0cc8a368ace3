"""The house rules: what a folder holds, who may import whom, and how long things may be."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import fer_edge

ROOT = Path(__file__).parents[1]
ALLOWED = {
    "edge": set(),
    "device": {"edge"},
    "train": {"edge"},
    "convert": {"edge", "train"},
}
MODULES = sorted(path for package in ALLOWED for path in (ROOT / package).rglob("*.py"))

ABOVE = {"edge/__init__.py", "edge/cli.py", "edge/benchmarking.py"}
"""The library's face and the command line's shell: they stand above the packages, and name what is in them."""

ENTRIES = 20
"""Modules and folders in one folder, at most, so that it can be taken in at a glance."""

DEVICE = (
    {"opencv"},
    {"frame"},
    {"faces"},
    {"results", "classify"},
    {"service"},
    {"sources"},
    {"tracking"},
    {"detection"},
    {"pipeline"},
    {"outputs", "reader"},
    {"doctor"},
    {"web", "bench", "deploy"},
    {"run", "archive"},
    {"commands"},
)
"""The wings of ``device/`` and the modules at its top, from the bottom: each imports only what stands before it."""

TRAIN = (
    {"progress", "settings", "yaml_file", "lettering"},
    {"data"},
    {"keras_setup"},
    {"augment", "zoo"},
    {"keras_model"},
    {"recipe", "recipes"},
    {"distill"},
    {"loop"},
    {"model_average"},
    {"evaluate", "explain"},
    {"faces", "inspection"},
    {"runs"},
    {"api"},
    {"commands"},
)
"""The same of ``train/``."""

CLICK = re.compile(r"^(edge/cli\.py|(edge|device|train|convert)/commands/.*)$")
"""Who may import click."""

SYSTEMD = re.compile("NOTIFY_SOCKET|WATCHDOG_(USEC|PID)|sd_notify")

COMMAND_LINES = 40
"""Of a command's body: it parses, makes a configuration, calls, prints."""


def named(path):
    return str(path.relative_to(ROOT))


def module_name(path):
    parts = ["fer_edge", *path.relative_to(ROOT).with_suffix("").parts]
    parts = [part for part in parts if part not in ("edge", "__init__")]
    return ".".join(parts)


NAMES = {module_name(path): path for path in MODULES}


@cache
def parsed(path):
    return ast.parse(path.read_text())


@cache
def owner(module):
    """Return the file of the module that a dotted name lies in, if it is ours."""
    while module:
        if module in NAMES:
            return NAMES[module]
        module = module.rpartition(".")[0]
    return None


def names_in(path):
    """Yield the dotted names that a module imports, wherever in it, and those that it names as strings."""
    tree = parsed(path)
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            found = re.fullmatch(r"(fer_edge(?:\.\w+)+)(?::\w+)?", node.value)
            if found:
                yield found[1]


@cache
def imports(path):
    """Return our own modules that a module reaches directly; the package that it lies in is none of them."""
    found = {owner(name) for name in names_in(path) if name.partition(".")[0] == "fer_edge"}
    return found - {None, path, ROOT / "edge/__init__.py"}


def package_of(path):
    return path.relative_to(ROOT).parts[0]


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_packages_reach_only_those_below(path):
    if named(path) in ABOVE:
        return
    package = package_of(path)
    reached = {package_of(other) for other in imports(path)}
    assert reached <= ALLOWED[package] | {package}
    assert not {named(other) for other in imports(path)} & ABOVE or path.name == "__main__.py"


def test_no_package_goes_through_what_stands_above():
    """Neither by the library's face (``fer_edge.train``), nor by a command in a process of its own."""
    for path in MODULES:
        if named(path) in ABOVE:
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "fer_edge":
                assert node.attr not in fer_edge.__all__, f"{named(path)} uses fer_edge.{node.attr}"
            if isinstance(node, ast.List):
                words = [element.value for element in node.elts if isinstance(element, ast.Constant)]
                assert "fer_edge" not in words, f"{named(path)} runs a command"


def circles():
    """Return the groups of modules that import each other, directly or not (Tarjan 1972)."""
    index, low, stack, groups = {}, {}, [], []

    def visit(path):
        index[path] = low[path] = len(index)
        stack.append(path)
        for other in sorted(imports(path)):
            if other not in index:
                visit(other)
                low[path] = min(low[path], low[other])
            elif other in stack:
                low[path] = min(low[path], index[other])
        if low[path] == index[path]:
            group = set()
            while path not in group:
                group.add(stack.pop())
            groups.append(group)

    for path in MODULES:
        if path not in index:
            visit(path)
    return [{named(path) for path in group} for group in groups if len(group) > 1]


def test_no_modules_import_each_other():
    assert not circles()


@pytest.mark.parametrize(("package", "order"), [("device", DEVICE), ("train", TRAIN)])
def test_wings_import_only_what_stands_before_them(package, order):
    level = {name: number for number, names in enumerate(order) for name in names}
    wrong = []
    for path in MODULES:
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] != package or parts[1] == "__init__":
            continue
        assert parts[1] in level, f"{named(path)}: put {parts[1]} into the order"
        for other in imports(path):
            wing = other.relative_to(ROOT).with_suffix("").parts
            if wing[0] == package and wing[1] not in ("__init__", parts[1]) and level[wing[1]] >= level[parts[1]]:
                wrong.append(f"{named(path)} imports {named(other)}")
    assert not wrong


def test_folders_are_taken_in_at_a_glance():
    folders = {path.parent for path in MODULES}
    counts = {named(folder): len(entries(folder)) for folder in folders}
    assert not {folder: count for folder, count in counts.items() if count > ENTRIES}


def entries(folder):
    """Return a folder's modules, and its folders that hold some; data do not count."""
    return [
        path
        for path in folder.iterdir()
        if (path.is_dir() and path.name != "__pycache__" and any(path.rglob("*.py"))) or path.suffix == ".py"
    ]


def test_modules_are_short():
    long = {named(path): n for path in MODULES if (n := len(path.read_text().splitlines())) > 350}
    assert not long


def test_click_is_imported_by_commands_only():
    importing = {named(path) for path in MODULES for name in names_in(path) if name.partition(".")[0] == "click"}
    assert importing
    assert not {path for path in importing if not CLICK.match(path)}


def test_systemd_is_known_to_the_service_only():
    knowing = {named(path) for path in MODULES if SYSTEMD.search(path.read_text())}
    assert knowing
    assert all(path.startswith("device/service/") for path in knowing)


def command_bodies():
    """Yield (file and function, lines of its body without its docstring) of every click command."""
    for path in MODULES:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef) and any(".command(" in ast.unparse(d) for d in node.decorator_list):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                yield f"{named(path)}:{node.name}", lines


def test_commands_are_thin():
    found = dict(command_bodies())
    assert len(found) > 10
    assert not {name for name, lines in found.items() if lines > COMMAND_LINES}


def test_the_device_never_imports_the_workstations_packages():
    for path in (ROOT / "device").rglob("*.py"):
        text = path.read_text()
        for name in ("tensorflow", "keras", "rich", "matplotlib", "PIL"):
            assert f"import {name}" not in text, f"{path} imports {name}"
