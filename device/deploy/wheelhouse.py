"""Wheels of everything that a target needs, gathered on this machine for a target without a network."""

from __future__ import annotations

import email
import hashlib
import shutil
import sys
import tempfile
import threading
from pathlib import Path

from fer_edge.device.deploy.child import ask
from fer_edge.device.deploy.explain import pip_error
from fer_edge.device.deploy.pins import EXTRAS, PINS
from fer_edge.device.deploy.target import Target
from fer_edge.device.deploy.wheel import read_metadata
from fer_edge.errors import DeployError
from fer_edge.lazy import require

GLIBC = ("2_28", "2_27", "2_17")
"""Oldest glibc that a wheel may ask for, newest first; Raspberry Pi OS 12 has 2.36."""

DOWNLOAD_S = 3600.0
"""Longest that pip may take."""

_filling = threading.Lock()


def fill_wheelhouse(folder: Path, wheel: Path, target: Target) -> list[Path]:
    """Return wheels of what `wheel` needs on a machine like `target`, downloading them into `folder` if need be.

    Each kind of machine and each list of requirements has a folder of its own in `folder`; once it is there, no
    network is used.

    Raises:
        DeployError: the package index cannot be reached, or lacks something for that machine, or the wheel is damaged.
        MissingExtraError: the package ``packaging`` is missing here.
    """
    requirements = sorted({*needed(wheel, target), *PINS.get((target.machine, target.release), ())})
    if not requirements:
        return []
    digest = hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:8]
    own = folder / f"python{target.python}-{target.machine}-{digest}"
    with _filling:  # targets of one kind, deployed to at once, share it
        if not own.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(prefix=".download-", dir=folder))
            try:
                _download(requirements, target, part)
                try:
                    part.rename(own)  # whole or not at all
                except OSError:
                    if not own.is_dir():  # else another process was faster
                        raise
            finally:
                shutil.rmtree(part, ignore_errors=True)
    return sorted(own.glob("*.whl"))


def needed(wheel: Path, target: Target) -> list[str]:
    """Return the requirements of a wheel with `EXTRAS` that hold on `target`, without their markers.

    pip's own ``download --platform`` judges markers by the machine it runs on, so they are judged here.

    Raises:
        DeployError: one of them cannot be read.
    """
    require("packaging.requirements", "train")
    from packaging.requirements import InvalidRequirement, Requirement

    metadata = email.message_from_bytes(read_metadata(wheel))
    environment = {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": target.machine,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{target.python}.0",
        "python_version": target.python,
        "sys_platform": "linux",
    }
    requirements = []
    for line in metadata.get_all("Requires-Dist") or ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement as error:
            raise DeployError(f"{wheel}: needs what cannot be read ({line}); build it again") from error
        marker, requirement.marker = requirement.marker, None
        if marker is None or any(marker.evaluate({**environment, "extra": extra}) for extra in EXTRAS):
            requirements.append(str(requirement))
    return requirements


def _download(requirements: list[str], target: Target, folder: Path) -> None:
    platforms = [f"manylinux_{version}_{target.machine}" for version in GLIBC] + [f"manylinux2014_{target.machine}"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    for platform in platforms:
        command += ["--platform", platform]
    command += ["--python-version", target.python, "--only-binary=:all:", "--dest", str(folder), *requirements]
    done = ask(command, "the download of the wheels", DOWNLOAD_S)
    if done.status:
        raise DeployError(f"the wheelhouse cannot be filled: {pip_error(done.stderr)}")
