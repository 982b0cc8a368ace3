"""The part of doctor that may crash or hang, which therefore runs in a process of its own.

``python -m fer_edge.device.doctor.probe TOPIC [ARGUMENT]`` writes one JSON document: ``value``, or the
exception's class as ``error``, its ``message``, whether it is one of fer-edge's own (``ours``) and, for an
import, the ``module`` that is missing.
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from fer_edge.errors import FerEdgeError

FRAMES = 10
"""Pictures over which the rate is taken, after a first one that includes the start of the camera."""

INTERESTING = (
    "numpy",
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
    "ai-edge-litert",
    "tflite-runtime",
    "tensorflow",
    "picamera2",
)


def distributions() -> list[tuple[str, str, str]]:
    """Return name, version and folder of the installed packages that matter, as the import system finds them."""
    found = []
    for distribution in metadata.distributions():
        name = (distribution.metadata["Name"] or "").lower().replace("_", "-")  # None in a damaged installation
        if name in INTERESTING:
            found.append((name, distribution.version or "", str(distribution.locate_file(""))))
    return found


def numpy() -> dict[str, str]:
    """Import numpy."""
    module = importlib.import_module("numpy")
    return {"version": module.__version__}


def opencv() -> dict[str, Any]:
    """Import OpenCV."""
    module = importlib.import_module("cv2")
    return {"version": module.__version__, "cascade_classifier": hasattr(module, "CascadeClassifier")}


def cascade() -> str | None:
    """Load the face cascade and return its file; None without an OpenCV that works and has cascades."""
    try:
        if not opencv()["cascade_classifier"]:
            return None
    except Exception:  # another question's answer
        return None
    from fer_edge.device.detection.cascade import HaarCascade, find_cascade

    HaarCascade()
    return str(find_cascade())


def runtime() -> dict[str, Any]:
    """Import the TFLite runtime that would be used, and say which ones before it are installed but broken."""
    from fer_edge.runtime import RUNTIMES

    broken = {}
    for name in RUNTIMES:
        package = name.partition(".")[0]
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name not in (package, name):
                broken[package] = _message(error)
        except Exception as error:  # whatever a broken build raises
            broken[package] = _message(error)
        else:
            return {"module": package, "broken": broken}
    return {"module": None, "broken": broken}


def cameras() -> list[str]:
    """Return the models of the cameras that picamera2 sees."""
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")
    picamera2 = importlib.import_module("picamera2")
    return [str(camera.get("Model", "camera")) for camera in picamera2.Picamera2.global_camera_info()]


def pictures(spec: str | None = None) -> dict[str, Any]:
    """Take pictures from a source, by default that of the environment, and describe them."""
    from fer_edge.device.sources import open_source
    from fer_edge.text.address import ENVIRONMENT

    with open_source(spec or os.environ[ENVIRONMENT]) as source:
        frames = iter(source)
        first = next(frames)
        start = time.monotonic()
        count = sum(1 for _ in itertools.islice(frames, FRAMES))
        return {
            "live": source.live,
            "width": first.width,
            "height": first.height,
            "layout": "NV12" if first.cb.strides[1] == 2 else "YUV420",
            "stride": first.y.strides[0],
            "per_second": count / (time.monotonic() - start) if count else 0.0,
        }


def inference(path: str) -> list[float]:
    """Load a model, classify a grey picture and return the scores."""
    import numpy as np

    from fer_edge.runtime import TFLiteModel, crop_shape

    model = TFLiteModel(Path(path))
    scores: list[float] = model.scores(np.full(crop_shape(model.info), 128, np.uint8)).tolist()
    return scores


TOPICS: dict[str, Callable[..., Any]] = {
    topic.__name__: topic for topic in (distributions, numpy, opencv, cascade, runtime, cameras, pictures, inference)
}


def main(topic: str, *arguments: str) -> None:
    """Answer one question on standard output, which nobody else gets to write to."""
    with os.fdopen(os.dup(1), "w") as answer:
        os.dup2(2, 1)  # native libraries greet on either stream
        try:
            document = {"value": TOPICS[topic](*arguments)}
        except Exception as error:  # the answer is what went wrong, whatever it is
            document = {
                "error": type(error).__name__,
                "message": _message(error),
                "ours": isinstance(error, FerEdgeError),
                "module": getattr(error, "name", None) or "",
            }
        json.dump(document, answer)


def _message(error: BaseException) -> str:
    """Return one line that says what is wrong: our own text, or the cause at the bottom of a heap of errors."""
    while not isinstance(error, FerEdgeError) and error.__cause__:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


if __name__ == "__main__":
    main(*sys.argv[1:])
