"""``fer-edge deploy`` over a real ssh to an emulated Raspberry Pi."""

import json

import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from tests.device.deploy.lab import SSHD, Lab
from tests.pi.machine import SCRIPT

pytestmark = [pytest.mark.pi, pytest.mark.timeout(1200)]

LOGIN = """
export XDG_CACHE_HOME={cache}
exec {script} enter --bind {home} /home/pi {name} \\
    env HOME=/home/pi PATH=/usr/bin:/usr/sbin QEMU_CPU={processor} sh -c 'cd && eval "$1"' login "$SSH_ORIGINAL_COMMAND"
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    if SSHD is None:
        pytest.skip("needs sshd (openssh-server)")
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.close()


def test_a_raspberry_pi_is_installed_over_ssh(lab, system, machines, tmp_path):
    """Without a network there, which an emulated machine has no use for."""
    (wheel,) = (machines / "wheel").glob("*.whl")
    pi = lab.target(system.name)
    home = tmp_path / "home"
    home.mkdir()
    cache = machines.parent.parent
    pi.tool("login", LOGIN.format(cache=cache, script=SCRIPT, home=home, name=system.name, processor=system.processor))

    def deploy():
        options = ["--wheel", str(wheel), "--wheelhouse", str(tmp_path / "house"), "--json"]
        result = CliRunner().invoke(main, ["deploy", system.name, "--ssh-config", str(lab.config), *options])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    (first,) = deploy()["hosts"]
    assert first["state"] == "deployed"
    assert "aarch64" in first["machine"]
    current = (home / "fer-edge/current").resolve(strict=False)
    release = home / "fer-edge/releases" / current.name
    demo = json.loads((release / "venv/fer-edge.demo.json").read_text())
    assert demo["frames"] == 10
    assert (release / "venv/bin/python").is_symlink()
    (second,) = deploy()["hosts"]
    assert second["state"] == "unchanged"
