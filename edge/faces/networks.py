"""The two int8 networks of the face detector in their files."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ModelFileError
from fer_edge.faces.crop import VALUES
from fer_edge.faces.finder import FaceFinder, Thresholds
from fer_edge.faces.grid import CELLS, CHANNELS, CROP_SIZE, FRAME_HEIGHT, FRAME_WIDTH
from fer_edge.model_file import check_tflite
from fer_edge.quiet import native_stderr_held
from fer_edge.runtime import INPUT_SCALE, INPUT_ZERO_POINT, check_sizes, load_runtime
from fer_edge.shipped import FOLDER

PROPOSER, REFINER = "face-proposer", "face-refiner"
"""Names of the networks, and of their files in the package."""
SHAPES = {
    PROPOSER: ((FRAME_HEIGHT, FRAME_WIDTH), len(CELLS) * CHANNELS),
    REFINER: ((CROP_SIZE, CROP_SIZE), VALUES),
}
"""Of each network: rows and columns of its input, number of its values."""


class FaceNetwork:
    """One int8 network: luma in, real numbers out. Not safe for use from several threads at once."""

    def __init__(self, path: Path, name: str) -> None:
        """Open and check a file.

        Args:
            path: a ``.tflite`` file.
            name: which of the two it must be, `PROPOSER` or `REFINER`.

        Raises:
            ModelFileError: no TFLite file, damaged, or another network.
            MissingExtraError: no TFLite runtime is installed.
        """
        check_tflite(path)
        runtime = load_runtime()
        try:
            with native_stderr_held():  # it announces its XNNPACK delegate
                self._interpreter = runtime.Interpreter(model_content=path.read_bytes(), num_threads=1)
                check_sizes(self._interpreter, path)
                self._interpreter.allocate_tensors()
                check_sizes(self._interpreter, path)
                self._interpreter.invoke()  # weights that are lost inside the file show only now
        except (ValueError, RuntimeError, SystemError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelFileError(f"{path}: the TFLite runtime refuses this file ({reason})") from error
        self._check(path, name)

    def _check(self, path: Path, name: str) -> None:
        shape, values = SHAPES[name]
        found = self._interpreter.get_input_details() + self._interpreter.get_output_details()
        expected = [(1, *shape, 1), (1, values)]
        if [tuple(tensor["shape"]) for tensor in found] != expected or any(t["dtype"] is not np.int8 for t in found):
            shapes = " and ".join(f"{t['dtype'].__name__} {'x'.join(map(str, t['shape']))}" for t in found)
            raise ModelFileError(
                f"{path}: expected a {name}, int8 {shape[0]}x{shape[1]} pixels to {values} values, found {shapes}"
            )
        scale, zero_point = found[0]["quantization"]
        if not math.isclose(scale, INPUT_SCALE, rel_tol=1e-5) or zero_point != INPUT_ZERO_POINT:
            raise ModelFileError(f"{path}: expected an input of scale 1/255 and zero point -128, found {scale:.6f}")
        self._input, self._output = found[0]["index"], found[1]["index"]
        self._scale, self._zero_point = found[1]["quantization"]

    def __call__(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return N x values float32 for luma of N x rows x columns, one after the other."""
        return np.stack([self._values(picture) for picture in pictures])

    def _values(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        # A view into the interpreter's own memory; it must not outlive this call, hence the nested brackets.
        target = self._interpreter.tensor(self._input)()[0, :, :, 0]
        np.bitwise_xor(picture, 0x80, out=target.view(np.uint8))  # x - 128 in two's complement
        del target
        self._interpreter.invoke()
        raw = self._interpreter.get_tensor(self._output)[0]
        values: NDArray[np.float32] = (raw.astype(np.float32) - self._zero_point) * np.float32(self._scale)
        return values


def open_finder(
    proposer: Path = FOLDER / f"{PROPOSER}.tflite",
    refiner: Path = FOLDER / f"{REFINER}.tflite",
    thresholds: Thresholds | None = None,
) -> FaceFinder:
    """Return the face detector, of the package's networks or others.

    Raises:
        ModelFileError: a file is not the network that it should be.
        MissingExtraError: no TFLite runtime is installed.
    """
    return FaceFinder(FaceNetwork(proposer, PROPOSER), FaceNetwork(refiner, REFINER), thresholds)
