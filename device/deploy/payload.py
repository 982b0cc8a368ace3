"""The files that a target gets, and the name of the release that they make."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from fer_edge.device.deploy.pins import EXTRAS, PINS
from fer_edge.device.deploy.scripts import script
from fer_edge.model_file import file_hash

MODEL = "model.tflite"
"""Name of the model on the target, whatever it is called here: scripts and the unit name it."""

RECIPE = ("venv", "install")
"""Scripts that decide what becomes of the files: when one changes, the same files make another release."""


@dataclasses.dataclass(frozen=True)
class Payload:
    """The files of a release.

    Attributes:
        files: name on the target -> file on this machine.
        sums: their SHA-256 sums as ``sha256sum`` writes them, sorted by name.
        wheel: name of fer-edge's wheel.
        model: name of the model, or an empty string if the one in the wheel is used.
        offline: whether the wheels of everything that it needs are among the files.
        release: name of the release, 16 hexadecimal digits that stand for all of the above; empty for a model alone.
        folder: where they go, below the folder of the deployment.
    """

    files: Mapping[str, Path]
    sums: str
    wheel: str
    model: str
    offline: bool
    release: str
    folder: str


def make_payload(wheel: Path, model: Path | None, wheels: Sequence[Path] | None) -> Payload:
    """Gather the files of a release.

    Args:
        wheel: fer-edge's wheel.
        model: the model that goes along, if any.
        wheels: what it needs, for a target without a network; None if the target asks its index.
    """
    files = {path.name: path for path in (wheel, *(wheels or ()))}
    if model:
        files[MODEL] = model
    sums = "".join(f"{file_hash(files[name])}  {name}\n" for name in sorted(files))
    identity = (sums, wheel.name, str(wheels is not None), repr((EXTRAS, PINS)), *map(script, RECIPE))
    digest = hashlib.sha256("\0".join(identity).encode()).hexdigest()
    release = digest[:16]
    folder = f"releases/{release}/payload"
    return Payload(files, sums, wheel.name, MODEL if model else "", wheels is not None, release, folder)


def model_payload(model: Path) -> Payload:
    """Return a model that goes alone."""
    return Payload({MODEL: model}, f"{file_hash(model)}  {MODEL}\n", "", MODEL, False, "", "incoming")


def stage(payload: Payload, folder: Path) -> None:
    """Put links to the files into an existing, empty folder, from where they are sent."""
    for name, path in payload.files.items():
        (folder / name).symlink_to(path.resolve())
