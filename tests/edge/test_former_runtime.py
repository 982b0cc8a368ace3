"""The shipped models under tflite-runtime 2.14, the last release of ai-edge-litert's predecessor.

It ends at Python 3.11 and numpy 1. Needs both and the package index; run with ``scripts/test -m slow``.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_edge.shipped import shipped_models
from tests.pictures import public_test_faces

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SCRIPT = Path(__file__).parents[1] / "pi" / "guest" / "outputs.py"
FACES = 500
REFERENCE_STEPS = 3
"""Of 1/256, by which the reference kernels of the two releases may differ: their own rounding changed."""
NEAR = 12
"""Steps of 1/256 between the two best scores within which another way of rounding may name the other one."""


@pytest.fixture(scope="module")
def former(tmp_path_factory, wheel):
    """Return the command of a Python 3.11 with tflite-runtime 2.14 and numpy 1, and its environment."""
    python = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")
    if python is None:
        pytest.skip("needs Python 3.11")
    folder = tmp_path_factory.mktemp("former")
    subprocess.run([python, "-m", "venv", folder], check=True, capture_output=True)
    install = [folder / "bin/python", "-m", "pip", "install", "--quiet", "tflite-runtime==2.14.0", "numpy<2", "click"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if "No matching distribution" in done.stderr or "Could not find a version" in done.stderr:
        pytest.skip("the package index cannot be reached, or has no tflite-runtime 2.14 for this machine")
    assert done.returncode == 0, done.stderr
    return folder / "bin/python", {"PYTHONPATH": str(wheel)}


def outputs(python, folder, model, faces, kernels, environment=None):
    """Return the int8 outputs, and the runtime and numpy that made them."""
    np.save(folder / "faces.npy", faces)
    command = [python, SCRIPT, model, folder / "faces.npy", folder / "out.npy", kernels]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return np.load(folder / "out.npy").astype(int), done.stdout.split()


@pytest.mark.parametrize("model", shipped_models().values(), ids=shipped_models())
def test_the_same_expressions(former, model, tmp_path):
    faces = public_test_faces(FACES)
    python, environment = former
    found, (runtime, numpy) = outputs(python, tmp_path, model, faces, "reference", environment)
    assert runtime == "tflite_runtime.interpreter"
    assert numpy.startswith("1.")
    reference, _ = outputs(sys.executable, tmp_path, model, faces, "reference")
    assert (found.argmax(axis=1) == reference.argmax(axis=1)).all()
    assert np.abs(found - reference).max() <= REFERENCE_STEPS
    # What a device runs by default rounds otherwise in either; only what is a near tie may fall to the other side.
    former_fast, _ = outputs(python, tmp_path, model, faces, "auto", environment)
    fast, _ = outputs(sys.executable, tmp_path, model, faces, "auto")
    other = former_fast.argmax(axis=1) != fast.argmax(axis=1)
    best = np.sort(fast[other], axis=1)
    assert other.mean() < 0.02
    assert (best[:, -1] - best[:, -2] <= NEAR).all()
