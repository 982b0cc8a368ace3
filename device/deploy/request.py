"""What a deployment is asked to do, whatever the machine."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from fer_edge.errors import ConfigError

_FOLDER = re.compile(r"(?:~|(?:/[\w.-]+)*)/[\w.-]+(?:/[\w.-]+)*", re.ASCII)
FOLDER_FORM = "~/NAME or /NAME, of letters, digits, '.', '_', '-'"


def target_folder(text: str) -> str | None:
    """Return a folder on a target without the slash at its end; None unless it is of `FOLDER_FORM`."""
    folder = text.rstrip("/")
    return folder if _FOLDER.fullmatch(folder) and not {".", ".."} & {*folder.split("/")} else None


@dataclasses.dataclass(frozen=True)
class Request:
    """What to install, and how.

    Attributes:
        wheel: fer-edge's own wheel; None sends the model alone, to the release that is there.
        model: an int8 ``.tflite`` file that goes along and is used, or None for the one in the wheel.
        service: whether to install, or change, the systemd unit.
        run_options: options of ``fer-edge run`` for that unit.
        root: folder on the target, absolute or beginning with ``~/``.
        wheelhouse: folder on this machine for wheels of everything that is needed, so that the target
            needs no network; None lets the target ask its package index.
    """

    wheel: Path | None
    model: Path | None = None
    service: bool = False
    run_options: tuple[str, ...] = dataclasses.field(default=(), repr=False)  # may hold passwords
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


@dataclasses.dataclass(frozen=True)
class DeployConfig:
    """The options of ``fer-edge deploy``, checked when the configuration is made.

    Attributes:
        hosts: ``USER@HOST``, or names of the ssh configuration; each is deployed to once.
        model: see `Request`.
        service: see `Request`.
        run_options: see `Request`; only with `service`.
        wheel: fer-edge's own; None has it made.
        wheelhouse: see `Request`.
        only_model: send `model` alone, to machines that have fer-edge.
        path: folder on the target, ``root`` of `Request`.
        ssh_config: an ssh configuration instead of the user's.
        ansible: write a playbook there instead of deploying.
        dry_run: look at the targets and change nothing.

    Raises:
        ConfigError: settings that exclude each other, or nothing to deploy to; its ``option`` names the field.
    """

    hosts: tuple[str, ...] = ()
    model: Path | None = None
    service: bool = False
    run_options: tuple[str, ...] = dataclasses.field(default=(), repr=False)  # may hold passwords
    wheel: Path | None = None
    wheelhouse: Path | None = None
    only_model: bool = False
    path: str = "~/fer-edge"
    ssh_config: Path | None = None
    ansible: Path | None = None
    dry_run: bool = False

    def __post_init__(self) -> None:
        if self.run_options and not self.service:
            raise ConfigError("run_options", "`run_options` are the service's; add `service`")
        if not self.ansible and not self.hosts:
            raise ConfigError("hosts", "name a USER@HOST to deploy to, or `ansible` PLAYBOOK.yml")
        if self.only_model and self.model is None:
            raise ConfigError("only_model", "`only_model` sends a model; name it with `model`")
        for option in ("service", "wheel", "wheelhouse"):
            if self.only_model and getattr(self, option):
                raise ConfigError(option, f"`only_model` sends a model and takes no `{option}`; leave one out")
        for option in ("hosts", "wheelhouse", "ssh_config", "dry_run", "only_model"):
            if self.ansible and getattr(self, option):
                raise ConfigError(option, f"`ansible` writes a playbook and takes no `{option}`; leave it out")

    def request(self, wheel: Path | None) -> Request:
        """Return what is to be installed, with fer-edge's own `wheel`; None for the model alone."""
        return Request(wheel, self.model, self.service, self.run_options, self.path, self.wheelhouse)
