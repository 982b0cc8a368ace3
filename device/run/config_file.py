"""The settings of a run in a YAML file, as ``--config`` reads and ``--print-config`` writes them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from fer_edge.errors import ConfigError
from fer_edge.lazy import require

LISTS = ("models", "size", "roi")
"""Settings that may be lists; all others have one value."""

FLAGS = ("upright", "flip", "loop", "display")
"""Settings that are true or false, for which YAML's other words stand as well."""

_WORDS = {"yes": True, "on": True, "no": False, "off": False}

_KEYS = {"models": "model"}
"""Setting -> its key, where that is not the same."""


def key_of(name: str) -> str:
    """Return the key of a setting, which is its option without the dashes before it: ``detector-model``."""
    return _KEYS.get(name, name).replace("_", "-")


def read_settings(path: Path, names: Collection[str]) -> dict[str, Any]:
    """Read a file of settings.

    ``on``, ``off``, ``yes`` and ``no`` are words as in YAML 1.2, since ``skin: off`` is one, but for `FLAGS`.
    A key without a value is left out.

    Args:
        path: of the file, a mapping. A key may have underscores for its dashes.
        names: of all settings.

    Returns:
        Setting -> value: text, number, true or false; for `LISTS` also a list of these.

    Raises:
        ConfigError: it cannot be read, is no YAML or holds something else; names the line.
        MissingExtraError: PyYAML is not installed.
    """
    yaml = require("yaml", "device")
    try:
        loader = _loader(yaml)(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
    except OSError as error:
        raise ConfigError("config", f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = str(getattr(error, "problem", None) or error).splitlines()[0]
        raise ConfigError("config", f"{path}:{f' line {mark.line + 1}:' if mark else ''} no YAML ({reason})") from error
    if root is None:
        return {}
    if root.id != "mapping":
        _refuse(path, root, f"expected lines such as 'source: picamera2', found a {root.id}")
    known = {key_of(name): name for name in names}
    settings: dict[str, Any] = {}
    for key, node in root.value:
        name = _name(path, key, known)
        if name in settings:
            _refuse(path, key, f"'{key.value}' stands there twice")
        if not _is_value(node) and not (name in LISTS and node.id == "sequence" and all(map(_is_value, node.value))):
            _refuse(path, node, f"'{key.value}': expected one value, found a {node.id}")
        value = loader.construct_object(node, deep=True)
        if name in FLAGS:
            value = _WORDS.get(str(value).lower(), value)
            if not (value is None or isinstance(value, bool)):
                _refuse(path, node, f"'{key.value}': expected true or false, found '{node.value[:40]}'")
        settings[name] = value
    if "models" in settings and not isinstance(settings["models"], list):
        settings["models"] = [settings["models"]]
    return {name: value for name, value in settings.items() if value not in (None, [None])}


def _is_value(node: Any) -> bool:
    return bool(node.id == "scalar")


def _name(path: Path, key: Any, known: Mapping[str, str]) -> str:
    if not _is_value(key):
        _refuse(path, key, f"expected a key such as 'source', found a {key.id}")
    spelled = key.value.replace("_", "-")
    if spelled in known:
        return known[spelled]
    if spelled in known.values():  # the setting's name in Python: models
        return str(spelled)
    nearest = get_close_matches(spelled.lower(), known, 1, 0.5)
    advice = f"the nearest is '{nearest[0]}'" if nearest else f"the keys are {', '.join(sorted(known))}"
    _refuse(path, key, f"no option of 'fer-edge run' is called '{key.value[:40]}'; {advice}")


def _refuse(path: Path, node: Any, text: str) -> NoReturn:
    raise ConfigError("config", f"{path}: line {node.start_mark.line + 1}: {text}")


def _loader(yaml: Any) -> Any:
    """Return PyYAML's safe loader, for which only ``true`` and ``false`` are no words."""
    boolean = "tag:yaml.org,2002:bool"

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Knows fewer words for true and false, and no dates."""

    Loader.yaml_implicit_resolvers = {
        first: [pair for pair in pairs if pair[0] not in (boolean, "tag:yaml.org,2002:timestamp")]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Loader.add_implicit_resolver(boolean, re.compile(r"^(?:true|True|false|False)$"), list("tTfF"))
    return Loader


def to_yaml(settings: Mapping[str, Any]) -> str:
    """Return the lines of settings, which `read_settings` reads as they were."""
    return "".join(f"{key_of(name)}: {_dumped(value)}\n" for name, value in settings.items())


def _dumped(value: Any) -> str:
    yaml = require("yaml", "device")
    plain = list(value) if isinstance(value, tuple) else value
    plain = plain[0] if isinstance(plain, list) and len(plain) == 1 else plain
    text: str = yaml.safe_dump(plain, default_flow_style=True, allow_unicode=True, width=10000)
    return text.removesuffix("...\n").strip()
