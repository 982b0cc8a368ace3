"""Ways to spoil bytes, text and JSON. All chance comes from the generator that is given."""

from __future__ import annotations

import json
import random
from typing import Any

NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
WORDS = (
    *("", "0", "-1", "1e999", "nan", "9" * 5000, "null", "true", "[]", "{}", "\0", "\x1b[2J", "\u202e", "\ud800"),
    *("../../etc/passwd", "$(touch pwn)", "; reboot", "a" * 70_000, "\r\n", '"', "'", "%s%n", "*" * 200, "&a", "!!x"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, 0.5, 1e308, float("nan"), float("inf")),
    *("", "x", "\x1b[2J", "9" * 5000, [], [None], [[]], {}, {"": None}, ["a"] * 1000),
)


def spoil(rng: random.Random, data: bytes, most: int = 4) -> bytes:
    """Return the bytes after one to `most` changes, each of a kind that files and networks suffer."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, most)):
        _CHANGES[rng.randrange(len(_CHANGES))](rng, changed)
    return bytes(changed)


def _flip(rng: random.Random, data: bytearray) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _set(rng: random.Random, data: bytearray) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.randrange(256)


def _number(rng: random.Random, data: bytearray) -> None:
    size = rng.choice((1, 2, 4, 8))
    if len(data) > size:
        at = rng.randrange(len(data) - size)
        data[at : at + size] = (rng.choice(NUMBERS) % 256**size).to_bytes(size, rng.choice(("little", "big")))


def _cut(rng: random.Random, data: bytearray) -> None:
    if data:
        del data[rng.randrange(len(data)) :]


def _remove(rng: random.Random, data: bytearray) -> None:
    if data:
        at = rng.randrange(len(data))
        del data[at : at + rng.randint(1, 64)]


def _insert(rng: random.Random, data: bytearray) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.randbytes(rng.randint(1, 64))


def _repeat(rng: random.Random, data: bytearray) -> None:
    if data:
        at = rng.randrange(len(data))
        piece = data[at : at + rng.randint(1, 256)]
        data[at:at] = piece * rng.randint(1, 8)


def _clear(rng: random.Random, data: bytearray) -> None:
    if data:
        at = rng.randrange(len(data))
        end = min(at + rng.randint(1, 512), len(data))
        data[at:end] = bytes(end - at)


_CHANGES = (_flip, _flip, _set, _number, _cut, _remove, _insert, _repeat, _clear)


def spoil_text(rng: random.Random, text: str) -> bytes:
    """Return a text with words, lines or bytes of it replaced."""
    kind = rng.randrange(4)
    if kind == 0:
        return spoil(rng, text.encode())
    parts = text.split("\n") if kind == 1 else text.split(" ")
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(parts))
        choice = rng.randrange(3)
        if choice == 0:
            parts[at] = rng.choice(WORDS)
        elif choice == 1:
            parts.insert(at, parts[rng.randrange(len(parts))])
        elif len(parts) > 1:
            del parts[at]
    return ("\n" if kind == 1 else " ").join(parts).encode("utf-8", "surrogatepass")


def spoil_json(rng: random.Random, document: Any) -> str:
    """Return a document with values of it replaced by such of other types, sizes and depths."""
    document = json.loads(json.dumps(document))
    for _ in range(rng.randint(1, 3)):
        document = _replaced(rng, document)
    text = json.dumps(document)
    return spoil(rng, text.encode(), 2).decode("utf-8", "replace") if rng.random() < 0.2 else text


def _replaced(rng: random.Random, node: Any) -> Any:
    if isinstance(node, dict) and node and rng.random() < 0.85:
        key = rng.choice(sorted(node))
        if rng.random() < 0.1:
            return {name: value for name, value in node.items() if name != key}
        return {**node, key: _replaced(rng, node[key])}
    if isinstance(node, list) and node and rng.random() < 0.7:
        at = rng.randrange(len(node))
        return [*node[:at], _replaced(rng, node[at]), *node[at + 1 :]]
    if rng.random() < 0.02:
        deep: Any = []
        for _ in range(900):
            deep = [deep]
        return deep
    return rng.choice(VALUES)
