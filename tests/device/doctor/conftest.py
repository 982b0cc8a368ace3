"""A machine laid out in a folder: files below a root, programs that are shell scripts, packages of any version."""

import dataclasses
import site
import sys
import textwrap
from pathlib import Path

import pytest

from fer_edge.device.doctor.system import Python, System

ROOT = Path(__file__).parents[3]

PI_4, PI_5 = "Raspberry Pi 4 Model B Rev 1.5", "Raspberry Pi 5 Model B Rev 1.0"


class Machine:
    """By default one with this Python, fer-edge and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.root, self.bin, self.site, self.work = (folder / name for name in ("root", "bin", "site", "work"))
        for path in (self.root, self.bin, self.site, self.work):
            path.mkdir()
        self._link_fer_edge()
        self.environ = {"PATH": str(self.bin), "PYTHONPATH": str(self.site)}
        # -S: nothing of the environment that the tests run in is seen.
        self.python = dataclasses.replace(Python.here(), command=(sys.executable, "-S"))

    def _link_fer_edge(self) -> None:
        package = self.site / "fer_edge"
        package.mkdir()
        for path in (ROOT / "edge").iterdir():
            (package / path.name).symlink_to(path)
        (package / "device").symlink_to(ROOT / "device")

    @property
    def system(self) -> System:
        return System(self.python, self.environ, self.root, self.work)

    def set_python(self, **facts: object) -> None:
        self.python = dataclasses.replace(self.python, **facts)

    def file(self, path: str, text: str = "") -> None:
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def board(self, name: str) -> None:
        self.file("/proc/device-tree/model", f"{name}\0")

    def program(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def module(self, name: str, code: str = "") -> None:
        """Write a module; dots make packages."""
        path = self.site.joinpath(*name.split("."))
        path.mkdir(parents=True, exist_ok=True)
        (path / "__init__.py").write_text(code)

    def metadata(self, name: str, version: str, folder: Path | None = None) -> None:
        """Write what pip writes when it has installed a package."""
        path = (folder or self.site) / f"{name.replace('-', '_')}-{version}.dist-info"
        path.mkdir(parents=True)
        (path / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")

    def changed_opencv(self, code: str) -> None:
        """Let the machine see what is really installed here, with an OpenCV that `code` has changed."""
        self.real_packages()
        step_aside = (
            "import sys; sys.modules.pop(__name__); sys.path.remove({0!r}); import cv2; sys.path.insert(0, {0!r})"
        )
        self.module("cv2", f"{step_aside.format(str(self.site))}\n{textwrap.dedent(code)}")

    def real_packages(self) -> None:
        """Let the machine see what is really installed here, behind what the test has put there."""
        self.environ["PYTHONPATH"] += "".join(f":{path}" for path in site.getsitepackages())


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)
