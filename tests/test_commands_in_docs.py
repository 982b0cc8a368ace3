"""The commands and messages that the documents name exist."""

import ast
import functools
import re
import shlex
from pathlib import Path

import click
import pytest

from fer_edge.cli import COMMANDS, main

ROOT = Path(__file__).parents[1]
DESCRIBED = (
    "benchmarks",
    "boards",
    "deploy",
    "doctor",
    "fleet",
    "raspberry-pi",
    "own-networks",
    "microcontrollers",
)
PAGES = [ROOT / "docs" / f"{name}.md" for name in DESCRIBED]
PI_PAGE = ROOT / "docs" / "raspberry-pi.md"


def commands_in(text):
    """Yield the words of each fer-edge command in code, without its comment; and the line it stands in."""
    blocks = [line for line in text.splitlines() if line.startswith("    ")]
    for code in (*blocks, *re.findall(r"`([^`]+)`", text)):
        match = re.search(r"(?:^|[\s/])fer-edge ([a-z]+\b.*)", code)
        if match and match[1].split()[0] in COMMANDS:
            yield shlex.split(match[1].replace("[", " ").replace("]", " "), comments=True)


def options_of(name, words):
    command = main.get_command(click.Context(main), name)
    if isinstance(command, click.Group):
        command = command.commands[words[0]]
    return {option for parameter in command.params for option in parameter.opts} | {"-h", "--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_in_commands_exist(page):
    commands = list(commands_in(page.read_text()))
    assert commands
    while commands:
        name, *words = commands.pop()
        used = {word.partition("=")[0] for word in words if word.startswith("-") and word != "-" and " " not in word}
        there = options_of(name, words)
        assert used <= there, f"fer-edge {name} has no {used - there}"
        commands += [["run", *word.split()] for word in words if word.startswith("--") and " " in word]  # --run-options


@functools.cache
def strings_in_sources():
    """Return what device/ and edge/ may print: their strings, with … for each value that is filled in."""
    found = []
    for folder in ("device", "edge"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.JoinedStr):
                    parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
                    found.append("".join(map(str, parts)))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
    return found


def messages_in(text):
    """Yield fer-edge's own messages, in the tables' first columns; others' have their program's name behind."""
    troubles = text.partition("## When something goes wrong")[2]
    for line in troubles.splitlines():
        cell = line.split(" | ")[0]
        if line.startswith("| ") and not re.search(r"` \([^)]+\)$", cell):
            yield from re.findall(r"`([^`]+)`", cell)


MESSAGES = list(messages_in(PI_PAGE.read_text()))


def test_there_are_messages():
    assert len(MESSAGES) > 25


@pytest.mark.parametrize("message", MESSAGES)
def test_the_message_occurs_in_the_sources(message):
    pattern = re.compile(".*".join(map(re.escape, message.split("…"))), re.DOTALL)
    assert any(pattern.search(string) for string in strings_in_sources())
