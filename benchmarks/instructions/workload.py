"""Runs on the virtual Raspberry Pi: the work whose instructions are counted.

python workload.py CROP.npy FRAMES WARM_UP_FRAMES OTHER.tflite...

The others are files of any kind, which the runtime is called with as they are. Each call of `mark` ends a stretch of
work. Prints JSON: ``stretches``, the names of the stretches in order, ``code``, the files whose code is mapped with
their pages, ``faces`` found per picture by each detector, and the ``machine``.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fer_edge.device.detection.face import FaceNetworks
from fer_edge.device.frame import Frame
from fer_edge.device.opencv import cv2
from fer_edge.device.pipeline import Pipeline
from fer_edge.device.sources import Source
from fer_edge.device.sources.demo import DemoSource
from fer_edge.machine import describe_machine
from fer_edge.runtime import TFLiteModel, load_runtime
from fer_edge.shipped import DEFAULT, shipped_models

MARK = 0x4645  # as in counter.c
INFERENCES = 3
WARM_UP_INFERENCES = 30
"""Python rewrites its own code in the first calls; after that a call costs the same each time."""

_libc = ctypes.CDLL(None)
stretches: list[str] = []


def mark(name: str) -> None:
    """End a stretch of work called `name`."""
    stretches.append(name)
    _libc.syscall(ctypes.c_long(MARK))


class Recorded(Source):
    """Pictures that are there already, so that drawing them is not counted."""

    name = "recorded"

    def __init__(self, frames: list[Frame]) -> None:
        self._frames = frames

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._frames)


def invoke(file: Path) -> None:
    """Call the runtime with a file that is not of fer-edge, on one thread."""
    interpreter = load_runtime().Interpreter(str(file), num_threads=1)
    interpreter.allocate_tensors()
    detail = interpreter.get_input_details()[0]
    interpreter.set_tensor(detail["index"], np.ones(detail["shape"], detail["dtype"]))
    for _ in range(WARM_UP_INFERENCES):
        interpreter.invoke()
    mark("set-up")
    for _ in range(INFERENCES):
        interpreter.invoke()
        mark(file.stem)


def main(crop_file: str, frames: int, warm_up: int, others: list[Path]) -> None:
    """Do the work."""
    cv2.setNumThreads(1)
    crop = np.load(crop_file)
    for name, path in shipped_models().items():
        model = TFLiteModel(path)
        for _ in range(WARM_UP_INFERENCES):
            model.scores(crop)
        mark("set-up")
        for _ in range(INFERENCES):
            model.scores(crop)
            mark(name)
    for file in others:
        invoke(file)
    model = TFLiteModel(shipped_models()[DEFAULT])
    film = list(itertools.islice(DemoSource(), warm_up + frames))
    faces: dict[str, list[int]] = {"loop": [], "face loop": []}
    for name, found in faces.items():
        detector = FaceNetworks() if name == "face loop" else None
        with Pipeline(Recorded(film), [model], detector=detector) as pipeline:
            results = iter(pipeline)
            for _ in range(warm_up):
                next(results)
            mark("set-up")
            for _ in range(frames):
                found.append(len(next(results).faces))
                mark(name)
    code = []
    with open("/proc/self/maps") as maps:  # noqa: PTH123 - pathlib would add its own instructions to the count
        for line in maps:
            addresses, permissions, *rest = line.split()
            if "x" in permissions:
                first, last = (int(address, 16) >> 12 for address in addresses.split("-"))
                code.append((first, last, rest[-1] if len(rest) > 3 else ""))
    print(json.dumps({"stretches": stretches, "code": code, "faces": faces, "machine": describe_machine()}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), [Path(name) for name in sys.argv[4:]])
