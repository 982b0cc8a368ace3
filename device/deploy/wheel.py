"""Where the wheel comes from that a target gets."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

import fer_edge
from fer_edge.device.deploy.explain import pip_error
from fer_edge.errors import DeployError
from fer_edge.model_file import ZIP_DAMAGE

METADATA = ".dist-info/METADATA"
METADATA_BYTES = 1 << 20

OLDEST_SETUPTOOLS = 77
"""As ``pyproject.toml`` asks."""

FILES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")


def provide_wheel(folder: Path) -> Path:
    """Put the wheel of the fer-edge that runs here into `folder`, which is empty; return it.

    From a checkout (an editable install) it is built, with the changes that are not committed; else it is
    downloaded from the package index.

    Raises:
        DeployError: pip failed.
    """
    checkout = find_checkout()
    if checkout:
        with tempfile.TemporaryDirectory() as copy:
            copy_sources(checkout, Path(copy))
            # Without a network where this environment can build; else pip fetches setuptools first.
            isolation = ("--no-build-isolation",) if _can_build() else ()
            _pip("wheel", "--no-deps", *isolation, "--wheel-dir", str(folder), copy)
    else:
        wanted = f"fer-edge=={fer_edge.__version__}"
        _pip("download", "--no-deps", "--only-binary=:all:", "--dest", str(folder), wanted)
    (wheel,) = folder.glob("*.whl")
    return wheel


def find_checkout() -> Path | None:
    """Return the folder of the sources that this package is imported from, or None if it is installed."""
    root = Path(fer_edge.__file__).resolve().parents[1]
    return root if (root / "setup.cfg").is_file() and (root / "pyproject.toml").is_file() else None


def copy_sources(checkout: Path, destination: Path) -> None:
    """Copy what belongs into the wheel: a build in the checkout would leave files, and take in those of the last."""
    config = configparser.ConfigParser()
    config.read(checkout / "setup.cfg", encoding="utf-8")
    folders = [line.split("=")[1].strip() for line in config["options"]["package_dir"].splitlines() if line]
    for name in folders:
        shutil.copytree(checkout / name, destination / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(checkout / name, destination)


def check_wheel(wheel: Path) -> None:
    """Refuse a file that is no wheel of fer-edge.

    Raises:
        DeployError: its name or its content is another's.
    """
    expected = f"{wheel}: expected a wheel of fer-edge (fer_edge-VERSION-py3-none-any.whl)"
    # The name goes into scripts for the target, and pip reads the version off it.
    if not re.fullmatch(r"fer_edge-[\w.+!]+-py3-none-any\.whl", wheel.name, re.ASCII):
        raise DeployError(f"{expected}, found another name; build one with: pip wheel --no-deps .")
    try:
        read_metadata(wheel)  # what the wheel needs is read from it later
    except DeployError as error:
        raise DeployError(f"{expected}, found no whole one; build one with: pip wheel --no-deps .") from error


def read_metadata(wheel: Path) -> bytes:
    """Return a wheel's own description, which is one text of a few kilobytes.

    Raises:
        DeployError: it has none, several, or one that is damaged or too long.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith(METADATA))
            with archive.open(name) as member:
                text = member.read(METADATA_BYTES + 1)
    except (*ZIP_DAMAGE, OSError) as error:
        raise DeployError(f"{wheel}: expected a whole wheel, found one that cannot be read ({error})") from error
    if len(text) > METADATA_BYTES:
        raise DeployError(f"{wheel}: expected a description of up to {METADATA_BYTES >> 10} KB, found a longer one")
    return text


def _can_build() -> bool:
    try:
        return int(metadata.version("setuptools").split(".")[0]) >= OLDEST_SETUPTOOLS
    except metadata.PackageNotFoundError:
        return False


def _pip(*arguments: str) -> None:
    # A fixed date in the wheel's entries: the same sources make the same bytes, hence the same release.
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "315532800", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [sys.executable, "-m", "pip", arguments[0], "--quiet", "--no-input", *arguments[1:]]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment, check=False)
    if done.returncode:
        raise DeployError(f"no wheel of fer-edge: {pip_error(done.stderr)}; name one with --wheel")
