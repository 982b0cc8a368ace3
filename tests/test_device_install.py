"""The install a Raspberry Pi gets, in an environment of its own: small, without TensorFlow, and complete.

Needs the package index; run with ``scripts/test -m slow``.
"""

import json
import subprocess
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PORTRAIT = ROOT / "device" / "portrait.jpg"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """Install ``fer-edge[device]`` from the wheel into an empty environment; return its bin folder."""
    folder = tmp_path_factory.mktemp("device")
    venv.create(folder, with_pip=True)
    install = [folder / "bin/python", "-m", "pip", "install", "--quiet", f"{wheel}[device]"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if "No matching distribution" in done.stderr or "Could not find a version" in done.stderr:
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def fer_edge(environment, *arguments):
    command = [environment / "fer-edge", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=environment)


def test_it_is_small_and_has_no_tensorflow(environment):
    (site,) = environment.parent.glob("lib/python*/site-packages")
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    assert size < 350 * 1024 * 1024
    names = ("tensorflow", "keras", "rich", "matplotlib")
    code = f"from importlib.util import find_spec; print([n for n in {names} if find_spec(n)])"
    found = subprocess.run([environment / "python", "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_image(environment):
    result = fer_edge(environment, "image", PORTRAIT, "--json")
    assert result.returncode == 0, result.stderr
    (photo,) = json.loads(result.stdout)
    assert len(photo["faces"]) == 1


def test_run(environment):
    result = fer_edge(environment, "run", "--source", "demo", "--frames", 20, "--jsonl", "-")
    assert result.returncode == 0, result.stderr
    frames = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(frames) == 20
    assert sum(bool(frame["faces"]) for frame in frames) >= 15


def test_bench(environment):
    result = fer_edge(environment, "bench", "--runs", 50, "--seconds", 0, "--threads", 1, "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)


@pytest.mark.parametrize("command", ["train", "evaluate", "convert", "data"])
def test_the_workstations_commands_say_what_is_missing(environment, command):
    arguments = {
        "train": ["demo", "--out", "x"],
        "evaluate": ["compact", "--data", "demo", "--plots", "plots"],
        "convert": [PORTRAIT, "--int8", "--data", "demo", "--out", "x.tflite"],
        "data": ["inspect", "demo", "--plots", "plots"],
    }
    result = fer_edge(environment, command, *arguments[command])
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "pip install 'fer-edge[train]'" in result.stderr
