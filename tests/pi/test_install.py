"""What ``pip install fer-edge[device]`` put on each Raspberry Pi OS."""

import json

import pytest

from tests.pi.machine import PYTHON

pytestmark = [pytest.mark.pi, pytest.mark.timeout(1200)]

EXPECTED = {
    "pi12": {"python": "3.11", "numpy": "1.24.", "opencv-python-headless": "4.11.0.86"},
    "pi13": {"python": "3.13", "numpy": "2.2.", "opencv-python-headless": "4."},
}

LIST = """
import json, platform
from importlib import metadata
found = {d.metadata["Name"].lower(): d.version for d in metadata.distributions()}
print(json.dumps(found | {"python": platform.python_version(), "machine": platform.machine()}))
"""


@pytest.fixture(scope="module")
def versions(system):
    """Return what Python says it is and has: name -> version."""
    result = system.run(PYTHON, "-c", LIST)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_it_is_the_right_python_on_aarch64(system, versions):
    assert versions["machine"] == "aarch64"
    assert versions["python"].startswith(EXPECTED[system.name]["python"])


@pytest.mark.parametrize("name", ["numpy", "opencv-python-headless"])
def test_versions_fit_the_system(system, versions, name):
    assert versions[name].startswith(EXPECTED[system.name][name])


def test_the_runtime_is_there_and_tensorflow_is_not(versions):
    assert "ai-edge-litert" in versions
    assert not versions.keys() & {"tensorflow", "keras", "rich", "matplotlib", "tflite-runtime"}


def test_numpy_stays_the_systems(system):
    """Another numpy over the system's breaks picamera2, which is compiled for that one."""
    result = system.run(PYTHON, "-c", "import numpy; print(numpy.__file__)")
    assert result.stdout.strip() == "/usr/lib/python3/dist-packages/numpy/__init__.py"


def test_nothing_is_missing_or_at_odds(system):
    result = system.run("/root/fer-edge/bin/pip", "check")
    assert result.returncode == 0, result.stdout
    assert "No broken requirements" in result.stdout


def test_it_is_small(system):
    """Under 200 MB without numpy, which is there already; pip and setuptools are counted."""
    files = (path.lstat() for path in (system.path / "root/fer-edge").rglob("*") if not path.is_dir())
    size = sum(status.st_size for status in files)
    assert 50 < size / 1024**2 < 200
