"""The manifest: which files make which part, and which parts are done; so a killed analysis continues.

``plan.jsonl`` holds the settings in its first line and a part in each other one. A part's rows are written first, its
record ``done/NAME.json`` last: without the record they do not count and are written again, under the same name.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from fer_edge.config import check_count
from fer_edge.device.archive.inputs import Inputs
from fer_edge.device.archive.store import Store
from fer_edge.errors import ConfigError, OutputError

PLAN, DONE = "plan.jsonl", "done"
SCHEMA = "fer-edge-analysis/1"
IMAGES_PER_PART = 64
"""What a killed worker has to do again, at most; a video is a part of its own, since its tracks belong together."""


@dataclasses.dataclass(frozen=True)
class Part:
    """Files whose rows are written together.

    Attributes:
        name: six digits, in the order of the inputs.
        kind: ``image`` or ``video``.
        files: paths or addresses.
    """

    name: str
    kind: str
    files: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Done:
    """What became of a part.

    Attributes:
        files: rows in its table of files.
        unreadable: those of them that could not be read to the end.
        faces: rows in its table of faces.
        frames: images and frames that were searched.
    """

    files: int
    unreadable: int
    faces: int
    frames: int


class Manifest:
    """Plan and progress of an analysis in its folder."""

    def __init__(self, store: Store, settings: Mapping[str, Any]) -> None:
        """Read what is there.

        Args:
            store: the folder.
            settings: what decides the rows; JSON-ready.

        Raises:
            OutputError: the folder holds an analysis with other settings, or something else.
        """
        self._store, self._settings = store, dict(settings)
        self.parts: list[Part] = self._planned()
        self.done: dict[str, Done] = {}
        names = {part.name for part in self.parts}
        for file in store.names(DONE):
            if (name := file.removesuffix(".json")) in names and file.endswith(".json"):
                with contextlib.suppress(ValueError, TypeError, ConfigError):  # damaged: it is done again
                    self.done[name] = _done(store.read(f"{DONE}/{file}") or b"")

    def _planned(self) -> list[Part]:
        text = self._store.read(PLAN)
        if text is None:
            if found := [name for name in self._store.names("") if not name.startswith(".")]:
                raise OutputError(
                    f"{self._store.name('')}: expected a new or empty folder or an analysis to continue, found "
                    f"{', '.join(found[:3])}; choose another --out"
                )
            return []
        try:
            head, *lines = (json.loads(line) for line in text.decode().splitlines())
            parts = [Part(line["name"], line["kind"], tuple(line["files"])) for line in lines]
            schema, before = head["schema"], dict(head["settings"])
        except (ValueError, KeyError, TypeError) as error:
            raise OutputError(
                f"{self._store.name(PLAN)}: damaged ({error}); delete the folder and start over"
            ) from error
        if schema != SCHEMA:
            raise OutputError(f"{self._store.name(PLAN)}: expected {SCHEMA}, found {schema}; choose another --out")
        if before != self._settings:
            differing = sorted(key for key in {*before, *self._settings} if before.get(key) != self._settings.get(key))
            changes = "; ".join(f"{key} was {before.get(key)}, is {self._settings.get(key)}" for key in differing)
            raise OutputError(
                f"{self._store.name('')}: holds an analysis with other settings ({changes}); repeat its command, or "
                "choose another --out"
            )
        return parts

    def extend(self, inputs: Inputs) -> None:
        """Add parts for the files that are not in the plan yet, and write it."""
        known = {file for part in self.parts for file in part.files}
        images = [file for file in inputs.images if file not in known]
        groups = [("image", images[at : at + IMAGES_PER_PART]) for at in range(0, len(images), IMAGES_PER_PART)]
        groups += [("video", [file]) for file in inputs.videos if file not in known]
        if not groups and self.parts:
            return
        first = len(self.parts)
        self.parts += [Part(f"{first + at:06d}", kind, tuple(files)) for at, (kind, files) in enumerate(groups)]
        lines: list[Mapping[str, Any]] = [{"schema": SCHEMA, "settings": self._settings}]
        lines += [dataclasses.asdict(part) for part in self.parts]
        self._store.write(PLAN, "".join(json.dumps(line) + "\n" for line in lines).encode())

    @property
    def open_parts(self) -> list[Part]:
        """The parts that are still to be done."""
        return [part for part in self.parts if part.name not in self.done]


def _done(record: bytes) -> Done:
    """Return what a record holds; raises ValueError or TypeError if that is something else."""
    done = Done(**json.loads(record))
    for field in dataclasses.fields(Done):
        check_count(field.name, getattr(done, field.name), 0)
    return done


def write_done(store: Store, part: Part, done: Done) -> None:
    """Record that the rows of a part are written; call it after they are."""
    store.write(f"{DONE}/{part.name}.json", json.dumps(dataclasses.asdict(done)).encode())
