"""``fleet.yaml``: which machines there are, and what each of them runs."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from fer_edge.device.deploy.request import FOLDER_FORM, target_folder
from fer_edge.errors import DeployError, ModelFileError
from fer_edge.lazy import require
from fer_edge.model_file import check_tflite, read_info
from fer_edge.shipped import find_model

HOST_FORM = re.compile(r"(?:[\w.][\w.+-]*@)?[\w.:][\w.:%-]*", re.ASCII)
"""``USER@HOST`` or a name of the ssh configuration; not an option of ssh."""
GROUP_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,40}")
BATCH = 8
"""Machines that are deployed to at once after the first one."""

SETTINGS = ("model", "options", "path")
TOP = (*SETTINGS, "batch", "canary", "groups", "hosts")
GROUP = (*SETTINGS, "hosts")
EXAMPLE = "groups:\n  shop:\n    hosts: [pi@door, pi@till]\n    options: --source picamera2 --metrics 0.0.0.0:9600\n"


@dataclasses.dataclass(frozen=True)
class Member:
    """One machine.

    Attributes:
        host: ``USER@HOST``, or a name of the ssh configuration.
        group: that it is in, ``fleet`` where there are none.
        model: an int8 ``.tflite`` file, or None for the one in the wheel.
        options: of ``fer-edge run`` for its service.
        path: folder on the machine.
    """

    host: str
    group: str
    model: Path | None
    options: tuple[str, ...] = dataclasses.field(repr=False)  # may hold passwords
    path: str

    @property
    def address(self) -> str:
        """Host without the user."""
        return self.host.rpartition("@")[2]


@dataclasses.dataclass(frozen=True)
class Fleet:
    """All machines.

    Attributes:
        members: the canary first, then in the order of the file.
        batch: how many are deployed to at once.
    """

    members: tuple[Member, ...]
    batch: int


def read_fleet(path: Path) -> Fleet:
    """Read a fleet.

    Raises:
        DeployError: it cannot be read, or holds something else; names the line.
        MissingExtraError: PyYAML is not installed.
    """
    return _Reader(path).fleet()


class _Reader:
    """Reads one file; nodes of YAML know their lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        yaml = require("yaml", "device")
        try:
            self._root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except OSError as error:
            raise DeployError(f"{path}: expected a fleet in YAML, but it cannot be read ({error.strerror})") from error
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            line = f" line {mark.line + 1}:" if mark else ""
            raise DeployError(f"{path}:{line} expected YAML such as\n{EXAMPLE}found something else") from error
        if self._root is None:
            raise DeployError(f"{path}: expected a fleet such as\n{EXAMPLE}found an empty file")

    def fleet(self) -> Fleet:
        top = self._mapping(self._root, TOP, "a fleet")
        settings = {name: top[name] for name in SETTINGS if name in top}
        members = self._members("fleet", top["hosts"], settings) if "hosts" in top else []
        for key, node in self._pairs(top["groups"], "groups") if "groups" in top else []:
            if not GROUP_FORM.fullmatch(key.value):
                self._refuse(key, f"expected a group's name of letters, digits, '_' and '-', found '{key.value[:40]}'")
            group = self._mapping(node, GROUP, f"the group {key.value}")
            if "hosts" not in group:
                self._refuse(node, f"the group {key.value} has no hosts; add: hosts: [USER@HOST, ...]")
            members += self._members(key.value, group["hosts"], settings | group)
        if not members:
            self._refuse(self._root, "expected hosts, found none; add: hosts: [USER@HOST, ...]")
        named = [member.host for member in members]
        if twice := next((host for host in named if named.count(host) > 1), None):
            self._refuse(self._root, f"{twice} stands there twice")
        canary = self._text(top["canary"]) if "canary" in top else named[0]
        if canary not in named:
            self._refuse(top["canary"], f"the canary {canary} is none of the hosts")
        members.sort(key=lambda member: member.host != canary)
        return Fleet(tuple(members), self._batch(top["batch"]) if "batch" in top else BATCH)

    def _members(self, group: str, hosts: Any, settings: Mapping[str, Any]) -> list[Member]:
        if hosts.id != "sequence":
            self._refuse(hosts, "expected a list of hosts, such as [pi@door, pi@till]")
        model = self._model(settings["model"]) if "model" in settings else None
        options = self._options(settings["options"]) if "options" in settings else ()
        path = self._folder(settings["path"]) if "path" in settings else "~/fer-edge"
        return [Member(self._host(node), group, model, options, path) for node in hosts.value]

    def _host(self, node: Any) -> str:
        host = self._text(node)
        if not HOST_FORM.fullmatch(host) or host.rpartition("@")[2].count(":") == 1:
            self._refuse(node, f"expected USER@HOST or a name of the ssh configuration, found '{host[:60]}'")
        return host

    def _model(self, node: Any) -> Path:
        name = self._text(node)
        beside = self._path.parent / name
        try:
            model = find_model(beside if beside.is_file() else name)
            check_tflite(model)
            read_info(model)  # refused here, and not by every target
            return model
        except ModelFileError as error:
            self._refuse(node, str(error))

    def _folder(self, node: Any) -> str:
        text = self._text(node)
        folder = target_folder(text)
        if folder is None:
            self._refuse(node, f"expected a folder on the target, {FOLDER_FORM}, found '{text[:60]}'")
        return folder

    def _options(self, node: Any) -> tuple[str, ...]:
        text = self._text(node)
        try:
            return tuple(shlex.split(text))
        except ValueError as error:
            self._refuse(node, f"the options cannot be split into words ({error})")

    def _batch(self, node: Any) -> int:
        text = self._text(node)
        if not re.fullmatch(r"[1-9]\d{0,3}", text):
            self._refuse(node, f"expected a batch of 1 machine or more, found '{text[:20]}'")
        return int(text)

    def _text(self, node: Any) -> str:
        if node.id != "scalar":
            self._refuse(node, f"expected one value, found a {node.id}")
        return str(node.value)

    def _pairs(self, node: Any, what: str) -> list[tuple[Any, Any]]:
        if node.id != "mapping":
            self._refuse(node, f"expected {what} as lines of 'name: value', found a {node.id}")
        for key, _ in node.value:
            self._text(key)
        return list(node.value)

    def _mapping(self, node: Any, keys: Sequence[str], what: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in self._pairs(node, what):
            if key.value not in keys:
                near = get_close_matches(key.value, keys, 1, 0.5)
                advice = f"the nearest is '{near[0]}'" if near else f"the keys are {', '.join(keys)}"
                self._refuse(key, f"{what} has no key '{key.value[:40]}'; {advice}")
            if key.value in found:
                self._refuse(key, f"'{key.value}' stands there twice")
            found[key.value] = value
        return found

    def _refuse(self, node: Any, text: str) -> NoReturn:
        raise DeployError(f"{self._path}: line {node.start_mark.line + 1}: {text}")
