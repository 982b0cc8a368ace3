"""Keras starts on a backend that is there, or one line says which is not; a user without a home can train."""

import os
import subprocess
import sys

import pytest

START = """
import sys
from fer_edge.errors import FerEdgeError
from fer_edge.train.keras_setup import load_keras
try:
    load_keras()
except FerEdgeError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("backend", ["nonsense", "", "\x1b[2J", "numpy" * 100])
def test_a_backend_that_does_not_exist_is_one_line(backend):
    environment = os.environ | {"KERAS_BACKEND": backend}
    done = subprocess.run([sys.executable, "-c", START], env=environment, capture_output=True, text=True, check=False)
    if not backend:  # Keras takes an empty one for none
        assert "Traceback" not in done.stderr
        return
    assert done.returncode == 1
    assert "set KERAS_BACKEND to one that is installed" in done.stderr.splitlines()[-1]
    assert "\x1b" not in done.stderr
    assert "Traceback" not in done.stderr
