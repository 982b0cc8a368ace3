"""What of the options of ``fer-edge run`` a unit may not hold, because every user of the target can read it.

It goes into a file of mode 600 that systemd reads as the service's environment. Not into ``Environment=``,
not even of a drop-in of mode 600: systemd tells that to whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fer_edge.text.address import ENVIRONMENT, without_secrets

VARIABLES = {"--source": ENVIRONMENT, "--mqtt": "FER_EDGE_MQTT", "--token": "FER_EDGE_TOKEN"}
"""Option that may be a secret -> variable from which ``fer-edge run`` takes it as well."""


def split_off(options: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the options without those that hold a secret, and the variables that replace them."""
    kept: list[tuple[str, ...]] = []
    secrets: dict[str, str] = {}
    words = iter(options)
    for word in words:
        option, equals, value = word.partition("=")
        if option not in VARIABLES:
            kept.append((word,))
            continue
        group = (word,) if equals else (word, *([following] if (following := next(words, None)) is not None else []))
        value = value if equals else "".join(group[1:])
        # Of an option that is given twice, the last one counts.
        kept = [other for other in kept if other[0].partition("=")[0] != option]
        secrets.pop(VARIABLES[option], None)
        if is_secret(option, value):
            secrets[VARIABLES[option]] = value
        else:
            kept.append(group)
    return tuple(word for group in kept for word in group), secrets


def is_secret(option: str, value: str) -> bool:
    """Say whether the value of one of `VARIABLES` may not be read by others."""
    if option == "--source":
        return without_secrets(value) != value
    return option == "--token" or "@" in value


def environment_file(secrets: Mapping[str, str]) -> str:
    """Return the text of an ``EnvironmentFile=`` (systemd.exec(5)); empty without secrets."""
    if not secrets:
        return ""
    lines = (f'{name}="{_escape(value)}"\n' for name, value in secrets.items())
    return "# Written by 'fer-edge deploy --service'.\n" + "".join(lines)


def _escape(value: str) -> str:
    return "".join(f"\\{character}" if character in '\\"`$' else character for character in value)
