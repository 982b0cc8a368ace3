"""From an int8 file to a folder of sources, compared with the TFLite runtime on the way."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.convert.export.flatbuffer import read_tflite
from fer_edge.convert.micro.interpreter import MicroInterpreter
from fer_edge.convert.micro.operators import methods
from fer_edge.convert.micro.report import MicroReport
from fer_edge.convert.micro.sources import GOLDEN, MODEL, README, Parts, sources
from fer_edge.errors import ConversionError, OutputError
from fer_edge.files import check_writable, write_result
from fer_edge.lazy import require
from fer_edge.model_file import ModelInfo, flatbuffer, read_info
from fer_edge.preprocess import normalise, with_channels
from fer_edge.quiet import native_stderr_held
from fer_edge.runtime import load_runtime
from fer_edge.shipped import FACE_PREFIX
from fer_edge.train.progress import progress_bar

GOLDENS = 3
COMPILERS = {
    "gcc": ("gcc", "size", ()),
    "arm-none-eabi-gcc, Cortex-M4": ("arm-none-eabi-gcc", "arm-none-eabi-size", ("-mcpu=cortex-m4", "-mthumb")),
}
"""What is called when it is installed -> compiler, what tells sections, options."""


def check_micro(folder: Path) -> None:
    """Find out early whether `export_micro` can work.

    Raises:
        MissingExtraError: ``tflite-micro`` is not installed.
        OutputError: the folder cannot be made or written.
    """
    require("tflite_micro", "micro")
    above = next(each for each in (folder, *folder.resolve().parents) if each.exists())
    if not above.is_dir():
        raise OutputError(f"{folder}: expected a folder or a new name, found {above}, which is a file; choose another")
    check_writable((folder if above == folder else above) / README)


def export_micro(contents: bytes, origin: Path, folder: Path, images: NDArray[np.uint8], data: str) -> MicroReport:
    """Write the sources of an int8 file for microcontrollers; compare TensorFlow Lite Micro with the TFLite runtime.

    Args:
        contents: the ``.tflite`` file, with what it says of itself.
        origin: its name, for errors.
        folder: made if need be; files in it of the same names are replaced.
        images: crops, uint8, N x rows x columns (x 3), at least one; the first become golden inputs, with the contrast
            that the network wants.
        data: what the images are called.

    Raises:
        ConversionError: the file is not int8, takes HOG features, or holds an operator that the runtime lacks.
        MissingExtraError: ``tflite-micro`` is not installed.
        OutputError: a file cannot be written.
    """
    network = flatbuffer(contents)
    graph = read_tflite(network)
    info = _info(contents)
    if len(graph.inputs) != 1 or len(graph.outputs) != 1 or {graph.inputs[0].dtype, graph.outputs[0].dtype} != {"INT8"}:
        found = ", ".join(f"{t.dtype} {'x'.join(map(str, t.shape))}" for t in (*graph.inputs, *graph.outputs))
        raise ConversionError(f"{origin}: expected an int8 network of one input and one output, found {found}")
    added = methods(graph.operator_counts(), str(origin))
    interpreter = MicroInterpreter(network, str(origin))
    values = _as_int8(normalise(images, info.contrast), graph.inputs[0].shape)
    micro = _outputs(interpreter.run, values, "running TensorFlow Lite Micro")
    arena = interpreter.arena_bytes()
    is_face = info.name.startswith(FACE_PREFIX)
    types = load_runtime().OpResolverType
    device = _outputs(_tflite(contents, types.AUTO), values, "running the TFLite runtime")
    reference = _outputs(_tflite(contents, types.BUILTIN_REF), values, "running its reference kernels")
    parts = Parts(
        info=info,
        sha256=hashlib.sha256(contents).hexdigest(),
        flatbuffer=network,
        rows=graph.inputs[0].shape[1],
        columns=graph.inputs[0].shape[2],
        methods=added,
        arena_bytes=arena,
        output_scale=graph.outputs[0].scales[0],
        output_zero_point=graph.outputs[0].zero_points[0],
        inputs=values[:GOLDENS],
        outputs=micro[:GOLDENS],
    )
    _write(folder, sources(parts))
    same = _alike(micro, device, is_face)
    changed = np.sort(micro[~same].astype(int), axis=1)
    return MicroReport(
        folder=str(folder),
        flash_bytes=len(network),
        arena_bytes=arena,
        operators=tuple(graph.operator_counts()),
        data=data,
        images=len(images),
        agreement=float(same.mean()),
        largest_difference=int(np.abs(micro.astype(int) - device).max()),
        largest_margin=0 if is_face or not len(changed) else int((changed[:, -1] - changed[:, -2]).max()),
        reference_agreement=float(_alike(micro, reference, is_face).mean()),
        sections={name: sizes for name in COMPILERS if (sizes := compiled_sections(folder, name))},
    )


def _info(contents: bytes) -> ModelInfo:
    with tempfile.TemporaryDirectory(prefix="fer-edge-") as name:
        path = Path(name) / "model.tflite"
        path.write_bytes(contents)
        return read_info(path)


def _as_int8(images: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.int8]:
    values: NDArray[np.int8] = (with_channels(images) ^ np.uint8(0x80)).view(np.int8)
    if values.shape[1:] != shape[1:]:
        raise ConversionError(f"expected images of {shape[1:]}, found {values.shape[1:]}")
    return values


def _outputs(run: Any, values: NDArray[np.int8], doing: str) -> NDArray[np.int8]:
    rows = []
    with progress_bar(doing, len(values)) as advance:
        for value in values:
            rows.append(run(value))
            advance(1)
    return np.stack(rows)


def _tflite(contents: bytes, kernels: Any) -> Any:
    """Return a function from an int8 input to the int8 output, by the TFLite runtime."""
    with native_stderr_held():
        interpreter = load_runtime().Interpreter(
            model_content=contents, num_threads=1, experimental_op_resolver_type=kernels
        )
        interpreter.allocate_tensors()
    source, target = (d[0]["index"] for d in (interpreter.get_input_details(), interpreter.get_output_details()))

    def run(value: NDArray[np.int8]) -> NDArray[np.int8]:
        interpreter.set_tensor(source, value[None])
        interpreter.invoke()
        output: NDArray[np.int8] = interpreter.get_tensor(target)[0]
        return output

    return run


def _alike(micro: NDArray[np.int8], other: NDArray[np.int8], is_face: bool) -> NDArray[np.bool_]:
    """Return for which images both say the same: their class, or values that are at most a step apart."""
    if is_face:
        return np.asarray((np.abs(micro.astype(int) - other) <= 1).all(axis=1))
    return np.asarray(micro.argmax(axis=1) == other.argmax(axis=1))


def _write(folder: Path, written: Mapping[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}); choose another place") from error
    for name, text in written.items():
        write_result(folder / name, text.encode())


def compiled_sections(folder: Path, name: str) -> dict[str, int]:
    """Return the bytes of each section of the compiled network; empty if a tool is not installed or fails."""
    compiler, size, options = COMPILERS[name]
    if not shutil.which(compiler) or not shutil.which(size):
        return {}
    environment = os.environ | {"LC_ALL": "C"}
    with tempfile.TemporaryDirectory(prefix="fer-edge-") as made:
        target = Path(made) / "fer_model.o"
        command = [compiler, *options, "-std=c++11", "-Os", "-ffreestanding", "-Wall", "-Wextra", "-Werror", "-c"]
        for source in (GOLDEN, MODEL):  # the network last, whose sections are told
            done = subprocess.run(
                [*command, str(folder / source), "-o", str(target)], capture_output=True, env=environment, check=False
            )
            if done.returncode:
                return {}
        told = subprocess.run([size, str(target)], capture_output=True, text=True, env=environment, check=False).stdout
    found = re.findall(r"^\s*(\d+)\s+(\d+)\s+(\d+)", told, re.MULTILINE)
    return dict(zip(("text", "data", "bss"), map(int, found[0]), strict=True)) if found else {}
