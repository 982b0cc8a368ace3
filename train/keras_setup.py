"""Keras, imported once and quietly, on whatever backend is there."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from typing import Any

from fer_edge.errors import ConfigError
from fer_edge.lazy import require
from fer_edge.quiet import native_stderr_held
from fer_edge.text import printable


def load_keras() -> Any:
    """Import Keras on the backend of ``KERAS_BACKEND``, else the first of TensorFlow, JAX, PyTorch that is installed.

    Raises:
        MissingExtraError: Keras is not installed.
        ConfigError: Keras does not start with the backend, or the ``keras.json``, that was chosen.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's C++ side prints its CPU flags otherwise
    if "KERAS_BACKEND" not in os.environ:
        for backend, module in (("tensorflow", "tensorflow"), ("jax", "jax"), ("torch", "torch")):
            if importlib.util.find_spec(module):
                os.environ["KERAS_BACKEND"] = backend
                break
    if "keras" in sys.modules:
        return sys.modules["keras"]
    # Several models predict in one process here; TensorFlow takes them for one that is traced too often, and warns.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        with native_stderr_held():
            return require("keras", "train")
    except (ImportError, ValueError, TypeError, AssertionError, AttributeError) as error:
        reason = printable((str(error) or type(error).__name__).splitlines()[0], 120)
        backend = printable(os.environ.get("KERAS_BACKEND", ""), 40)
        raise ConfigError(
            "KERAS_BACKEND",
            f"Keras does not start on the backend '{backend}' ({reason}); set KERAS_BACKEND to one that is installed, "
            "tensorflow, jax or torch, and look at ~/.keras/keras.json",
        ) from error
