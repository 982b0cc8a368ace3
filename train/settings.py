"""What a setting is called, what it may be and what it is for: said once, at the field of its dataclass.

The options of ``fer-edge train``, the keys of recipe files and the checks of the dataclasses are made from it. A
setting has one name: the option's, with underscores.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Mapping
from typing import Any

from fer_edge.errors import ConfigError

_KEY = "setting"


@dataclasses.dataclass(frozen=True)
class Range:
    """Which numbers a setting may be: those from `low` to `high`, without an end that is open."""

    low: float
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def holds(self, number: float) -> bool:
        """Return whether `number` is finite and within."""
        above = number > self.low if self.low_open else number >= self.low
        below = number < self.high if self.high_open else number <= self.high
        return above and below and abs(number) != math.inf

    def __str__(self) -> str:
        low, high = f"{self.low:,.10g}", f"{self.high:,.10g}"
        if self.high == math.inf:
            return f"above {low}" if self.low_open else f"of {low} or more"
        return f"{'above' if self.low_open else 'from'} {low} to {'below ' if self.high_open else ''}{high}"


SHARE = Range(0, 1, high_open=True)
WHOLE_SHARE = Range(0, 1)
POSITIVE = Range(0, low_open=True)
NOT_NEGATIVE = Range(0)


@dataclasses.dataclass(frozen=True)
class Setting:
    """A setting of a run.

    Attributes:
        name: what options, recipe files and errors call it.
        default: of the option.
        help: a sentence that begins with a verb.
        within: the numbers it may be, or None.
        choices: the words it may be; empty for any.
        negated: whether the option switches off what the field switches on.
        off: what the field holds where the option has no effect, beside what the option can be; None for nothing more.
    """

    name: str
    default: Any
    help: str
    within: Range | None = None
    choices: tuple[str, ...] = ()
    negated: bool = False
    off: Any = None

    @property
    def kind(self) -> type:
        """bool, int, float or str."""
        return type(self.default)

    def check(self, value: Any) -> None:
        """Raise ConfigError unless the field may hold `value`."""
        if self.off is not None and value == self.off:
            return
        if not self._fits(value):
            raise ConfigError(self.name, f"`{self.name}`: expected {self._expected()}, found {value!r}")

    def parse(self, text: str) -> Any:
        """Return the value of the option that `text`, of a recipe file, says.

        Raises:
            ConfigError: it says none.
        """
        value: Any = text
        try:
            if self.kind is bool:
                value = {"true": True, "false": False}[text]
            elif self.kind is not str:
                value = self.kind(text)
        except (KeyError, ValueError):
            raise ConfigError(self.name, f"`{self.name}`: expected {self._expected()}, found {text[:40]!r}") from None
        if not self._fits(value):
            raise ConfigError(self.name, f"`{self.name}`: expected {self._expected()}, found {text[:40]!r}")
        return value

    def _fits(self, value: Any) -> bool:
        if self.kind in (bool, str):
            return isinstance(value, self.kind) and (not self.choices or value in (*self.choices, self.default))
        kind = numbers.Integral if self.kind is int else numbers.Real
        if not isinstance(value, kind) or isinstance(value, bool) or not self.within:
            return False
        try:
            return self.within.holds(self.kind(value))
        except OverflowError:  # a whole number that no float can be
            return False

    def _expected(self) -> str:
        if self.kind is bool:
            return "true or false"
        if self.kind is str:
            return f"one of {', '.join(self.choices)}" if self.choices else "a word"
        return f"a {'whole ' if self.kind is int else ''}number {self.within}"


def setting(
    default: Any,
    help_text: str,
    *,
    name: str = "",
    within: Range | None = None,
    choices: tuple[str, ...] = (),
    negated: bool = False,
    offered: Any = None,
) -> Any:
    """Return a dataclass field that is a setting.

    Args:
        default: of the field.
        help_text: see `Setting.help`.
        name: of the setting, if it is not the field's.
        within: see `Setting`.
        choices: see `Setting`.
        negated: see `Setting`.
        offered: default of the option, if the field's own means that the option has no effect.
    """
    shown = offered if offered is not None else (not default if negated else default)
    said = Setting(name, shown, help_text, within, choices, negated, None if offered is None else default)
    return dataclasses.field(default=default, metadata={_KEY: said})


def settings_of(described: type) -> Mapping[str, Setting]:
    """Return the settings of a dataclass by the names of their fields."""
    found = {}
    for field in dataclasses.fields(described):
        if said := field.metadata.get(_KEY):
            found[field.name] = dataclasses.replace(said, name=said.name or field.name)
    return found


def check_settings(configuration: Any) -> None:
    """Raise ConfigError for a setting of a dataclass that is not what it may be; write 0 as 0.0 where that is meant.

    A run is known by its settings as they are written, and 0 is not written as 0.0 is.
    """
    for field, said in settings_of(type(configuration)).items():
        value = getattr(configuration, field)
        said.check(value)
        object.__setattr__(configuration, field, said.kind(value))


def values_of(configuration: Any) -> dict[str, Any]:
    """Return the values of a dataclass's settings by their names."""
    values = {}
    for field, said in settings_of(type(configuration)).items():
        value = getattr(configuration, field)
        values[said.name] = not value if said.negated else value
    return values


def fields_from(described: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a dataclass that `values`, by names of settings, make."""
    fields = {}
    for field, said in settings_of(described).items():
        if said.name in values:
            fields[field] = not values[said.name] if said.negated else values[said.name]
    return fields


def refuse_without_effect(name: str, value: Any, reason: str) -> None:
    """Raise the ConfigError of a setting that would have no effect."""
    raise ConfigError(name, f"`{name}` {value} would do nothing: {reason}")
