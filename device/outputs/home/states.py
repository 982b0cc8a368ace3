"""What is told of the people in front of a camera: states that change only when a change has lasted."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from fer_edge.device.outputs.home.dominant import dominant
from fer_edge.device.results import Face
from fer_edge.device.tracking.tracker import MAX_AGE_S

Value = TypeVar("Value")


class Held(Generic[Value]):
    """A value that follows another one, once that has been the same for a while.

    Attributes:
        value: what holds.
    """

    def __init__(self, value: Value, hold_s: float) -> None:
        """Begin with a value; a change counts after `hold_s` seconds, with 0 at once."""
        self.value = value
        self._hold_s = hold_s
        self._coming, self._since = value, 0.0

    def follow(self, value: Value, now: float, at_once: bool = False) -> Value:
        """Take in what is seen at `now`, in seconds; return what holds."""
        if value != self._coming:
            self._coming, self._since = value, now
        if at_once or now - self._since >= self._hold_s:
            self.value = self._coming
        return self.value


class States:
    """The payloads of the topics ``state`` and ``person/1`` to ``person/N``, as results come.

    People get the lowest place that is free, and keep it for as long as their track may last, also while it is not
    seen. Who finds no place is only counted.
    """

    def __init__(
        self, hold_s: float = 0.0, people: int = 0, interval_s: float = 0.0, keep_s: float = MAX_AGE_S
    ) -> None:
        """Begin with nobody.

        Args:
            hold_s: seconds for which a change must last; expression and number of faces each for itself.
            people: places for people.
            interval_s: least seconds between two payloads of one topic.
            keep_s: seconds for which a place stays that of a person who is not seen.
        """
        self._keep_s = keep_s
        self._label: Held[str | None] = Held(None, hold_s)
        self._count = Held(0, hold_s)
        self._score: float | None = None
        self._places = [_Place(hold_s) for _ in range(people)]
        self._topics = {"state": _Changes(interval_s)}
        self._topics |= {f"person/{number}": _Changes(interval_s) for number in range(1, people + 1)}

    def update(self, faces: Sequence[Face], frame: int | None, now: float, at_once: bool = False) -> dict[str, str]:
        """Return the topics that change with these faces, and their payloads.

        Args:
            faces: of a frame; none while the camera is away.
            frame: its number, None while the camera is away.
            now: in seconds, never decreasing.
            at_once: hold nothing back.
        """
        seen = dominant(faces)
        label = self._label.follow(seen.label, now, at_once)
        if label == seen.label:
            self._score = seen.score
        count = self._count.follow(seen.faces, now, at_once)
        states: dict[str, Callable[[], dict[str, Any]]] = {}
        keys: dict[str, object] = {"state": (label, count)}
        states["state"] = lambda: {"label": label, "score": _rounded(self._score if label else None), "faces": count}
        self._seat(faces, now)
        for number, place in enumerate(self._places, 1):
            keys[f"person/{number}"] = place.follow(faces, now, at_once)
            states[f"person/{number}"] = place.state
        due = [name for name, key in keys.items() if self._topics[name].is_due(key, now)]
        stamp = {"frame": frame, "time": datetime.now(UTC).isoformat(timespec="milliseconds")}
        return {name: json.dumps(states[name]() | stamp) for name in due}

    def _seat(self, faces: Sequence[Face], now: float) -> None:
        """Free the places of who has gone, and give them to who has come."""
        present = {face.id for face in faces}
        for place in self._places:
            place.leave(present, now - self._keep_s, now)
        seated = {place.id for place in self._places}
        for face in faces:
            free = next((place for place in self._places if place.id is None), None)
            if face.id not in seated and free is not None:
                free.id, free.seen = face.id, now


class _Place:
    """A place for a person: who has it, and what they show."""

    def __init__(self, hold_s: float) -> None:
        self.id: int | None = None
        self.seen = 0.0
        self._shown: Held[tuple[int | None, str | None]] = Held((None, None), hold_s)
        self._score: float | None = None

    def leave(self, present: set[int], since: float, now: float) -> None:
        """Free the place if who has it is neither present at `now` nor was seen after `since`."""
        if self.id in present:
            self.seen = now
        elif self.seen <= since:
            self.id = None

    def follow(self, faces: Sequence[Face], now: float, at_once: bool) -> tuple[int | None, str | None]:
        face = next((face for face in faces if face.id == self.id), None)
        seen = (None, None) if face is None else (face.id, face.label)
        shown = self._shown.follow(seen, now, at_once)
        if shown == seen:
            self._score = None if face is None else face.score
        return shown

    def state(self) -> dict[str, Any]:
        number, label = self._shown.value
        return {"id": number, "label": label, "score": _rounded(self._score if label else None)}


class _Changes:
    """When a topic is told again: after a change, and not too soon after the one before."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._told: object = None
        self._next = 0.0

    def is_due(self, key: object, now: float) -> bool:
        if key == self._told or now < self._next:
            return False
        self._told, self._next = key, now + self._interval_s
        return True


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 4)
