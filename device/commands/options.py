"""Values that several commands take."""

from __future__ import annotations

from pathlib import Path

import click


class SourceSpec(click.ParamType[str]):
    """A ``--source`` value, refused if it names a file that does not exist."""

    name = "SOURCE"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the value as it is."""
        camera = value == "picamera2" or value.removeprefix("/dev/video").isdecimal()
        known = camera or value in ("demo", "demo:live") or "://" in value
        if not known and not Path(value).exists():
            self.fail(
                f"'{value}' does not exist; expected picamera2, a webcam's number, demo, a file, a folder or a URL",
                param,
                ctx,
            )
        return value
