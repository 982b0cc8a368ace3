"""What a deployment is asked to do, whatever the machine."""

from __future__ import annotations

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Request:
    """What to install, and how.

    Attributes:
        wheel: fer-edge's own wheel.
        model: an int8 ``.tflite`` file that goes along and is used, or None for the one in the wheel.
        service: whether to install, or change, the systemd unit.
        run_options: options of ``fer-edge run`` for that unit.
        root: folder on the target, absolute or beginning with ``~/``.
        wheelhouse: folder on this machine for wheels of everything that is needed, so that the target
            needs no network; None lets the target ask its package index.
    """

    wheel: Path
    model: Path | None = None
    service: bool = False
    run_options: tuple[str, ...] = ()
    root: str = "~/fer-edge"
    wheelhouse: Path | None = None

    @property
    def source(self) -> str:
        """The ``--source`` of the run options, or an empty string."""
        source = ""
        for option, following in zip(self.run_options, (*self.run_options, "")[1:], strict=True):
            if option == "--source":
                source = following
            elif option.startswith("--source="):
                source = option.removeprefix("--source=")
        return source
