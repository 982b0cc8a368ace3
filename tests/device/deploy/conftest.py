import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from tests.device.deploy.lab import SSHD, Lab, fake_wheel


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    if SSHD is None:
        pytest.skip("needs sshd (openssh-server)")
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.close()


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    """Make wheels by version and behaviour, each once."""
    folder = tmp_path_factory.mktemp("wheels")

    def make(version, behaviour="fine", needs=()):
        wheel = folder / f"fer_edge-{version}-py3-none-any.whl"
        return wheel if wheel.exists() else fake_wheel(folder, version, behaviour, needs)

    return make


@pytest.fixture(scope="session")
def deploy(lab):
    """Run the command with the lab's ssh configuration."""

    def run(*arguments):
        return CliRunner().invoke(main, ["deploy", "--ssh-config", str(lab.config), *map(str, arguments)])

    return run
