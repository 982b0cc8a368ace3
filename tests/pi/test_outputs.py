"""A model answers on a Raspberry Pi as it does where it was measured."""

import functools
import subprocess
import sys

import numpy as np
import pytest

from fer_edge.shipped import shipped_models
from tests.pi.machine import GUEST, PYTHON, Machine
from tests.pictures import public_test_faces

pytestmark = [pytest.mark.pi, pytest.mark.timeout(1200)]

SCRIPT = GUEST / "outputs.py"
MODELS = pytest.mark.parametrize("model", shipped_models().values(), ids=shipped_models())
FACES = 500
LARGEST_DIFFERENCE = 4
"""Of 256, between two processors whose kernels round a product near half of a step differently.

Files that are converted now keep products away from there (`fer_edge.convert.quantize.ties`) and differ by 1; `compact`
was converted before.
"""
REFERENCE_FACES = 10
"""The reference kernels take a second a face under emulation."""


@pytest.fixture(scope="module")
def faces():
    """Return uint8 500 x 48 x 48."""
    return public_test_faces(FACES)


@pytest.fixture(scope="module")
def outputs_here(faces, tmp_path_factory):
    """Return a function of model and kernels: the int8 outputs on this machine."""
    folder = tmp_path_factory.mktemp("here")
    np.save(folder / "faces.npy", faces)

    @functools.cache
    def outputs(model, kernels):
        command = [sys.executable, SCRIPT, model, folder / "faces.npy", folder / "out.npy", kernels]
        subprocess.run(command, check=True, capture_output=True)
        return np.load(folder / "out.npy")

    return outputs


def outputs_there(machine, folder, model, faces, kernels, python=PYTHON, **options):
    """Return the int8 outputs on a virtual Pi, and the runtime and numpy that made them."""
    np.save(folder / "faces.npy", faces)
    binds = [(folder, "/mnt/exchange"), (GUEST, "/mnt/guest"), (model, "/mnt/model.tflite"), *options.pop("binds", ())]
    files = ("/mnt/model.tflite", "/mnt/exchange/faces.npy", "/mnt/exchange/out.npy")
    result = machine.run(python, "/mnt/guest/outputs.py", *files, kernels, binds=binds, **options)
    assert result.returncode == 0, result.stderr
    return np.load(folder / "out.npy"), result.stdout.split()


@MODELS
def test_int8_outputs_agree(board, model, faces, outputs_here, tmp_path):
    found, (runtime, _) = outputs_there(board, tmp_path, model, faces, "auto")
    assert runtime == "ai_edge_litert.interpreter"
    expected = outputs_here(model, "auto")
    assert found.shape == expected.shape
    assert len(found) == FACES
    assert np.abs(found.astype(int) - expected).max() <= LARGEST_DIFFERENCE
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()


@MODELS
def test_reference_kernels_agree_exactly(board, model, faces, outputs_here, tmp_path):
    found, _ = outputs_there(board, tmp_path, model, faces[:REFERENCE_FACES], "reference")
    assert (found == outputs_here(model, "reference")[:REFERENCE_FACES]).all()


@MODELS
def test_the_former_runtime_gives_what_the_plain_kernels_do(machines, model, faces, outputs_here, tmp_path):
    """tflite-runtime 2.14, the last one, with Raspberry Pi OS 12's Python and numpy."""
    (wheel,) = (machines / "wheel").glob("*.whl")
    found, (runtime, numpy) = outputs_there(
        Machine("pi12", machines / "pi12", "cortex-a72"),
        tmp_path,
        model,
        faces,
        "auto",
        python="/usr/bin/python3",
        binds=[(wheel, "/mnt/fer_edge.zip")],
        environment={"PYTHONPATH": "/opt/tflite-runtime:/mnt/fer_edge.zip"},
    )
    assert runtime == "tflite_runtime.interpreter"
    assert numpy.startswith("1.")
    # It has the plain kernels for a network like this. The reference kernels round MEAN otherwise.
    assert (found == outputs_here(model, "plain")).all()
