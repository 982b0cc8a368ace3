"""The machines that ``scripts/virtual-pi`` makes, as the tests see them."""

import dataclasses
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "virtual-pi"
GUEST = Path(__file__).parent / "guest"

PYTHON = "/root/fer-edge/bin/python"


@dataclasses.dataclass(frozen=True)
class Machine:
    """One root file system.

    Attributes:
        name: as in ``scripts/virtual-pi enter NAME``.
        path: where it lies on this machine.
        processor: of the Raspberry Pi that is emulated, as QEMU names it; None for a native one.
    """

    name: str
    path: Path
    processor: str | None = None

    def run(self, *command, binds=(), environment=None, timeout=280):
        """Run a command in it and return the `subprocess.CompletedProcess`, whatever its status."""
        bound = [argument for source, target in binds for argument in ("--bind", source, target)]
        variables = dict(environment or {})
        if self.processor:
            variables["QEMU_CPU"] = self.processor
        settings = ["env", *(f"{name}={value}" for name, value in variables.items())]
        return subprocess.run(
            [SCRIPT, "enter", *bound, self.name, *settings, *map(str, command)],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
