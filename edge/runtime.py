"""A converted model behind one small class that hides the runtime, the scale and the zero point."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError, MissingExtraError, ModelFileError
from fer_edge.model_file import ModelInfo, check_tflite, read_info
from fer_edge.preprocess import HOG_DEFINITION, HogExtractor, hog_length, normalise_crop
from fer_edge.quiet import native_stderr_held

RUNTIMES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter", "tensorflow.lite.python.interpreter")
"""Modules that hold ``Interpreter`` and ``OpResolverType``, in the order they are tried."""

LARGEST_TENSORS_BYTES = 256 << 20
"""Of all tensors of a model, weights included; the largest teacher's take 30 MB."""

INPUT_SCALE, INPUT_ZERO_POINT = 1 / 255, -128
OUTPUT_SCALE, OUTPUT_ZERO_POINT = 1 / 256, -128


class Classifier(Protocol):
    """What evaluation needs of a model, whichever format it is stored in."""

    @property
    def info(self) -> ModelInfo:
        """Labels, input size and provenance."""

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return class probabilities, N x classes, for uint8 images of N x size x size, or x 3 of a colour model."""


def crop_shape(info: ModelInfo) -> tuple[int, ...]:
    """Return the shape of a crop that a model takes: size x size, or size x size x 3 in colour."""
    return (info.input_size, info.input_size) + ((info.channels,) if info.channels > 1 else ())


def load_runtime() -> Any:
    """Return the first installed module of `RUNTIMES`.

    Raises:
        MissingExtraError: none is installed.
    """
    for name in RUNTIMES:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise MissingExtraError(
        "no TFLite runtime is installed (looked for ai-edge-litert, tflite-runtime and tensorflow); "
        "install one with: pip install 'fer-edge[device]'"
    )


class TFLiteModel:
    """An expression classifier in a ``.tflite`` file.

    A model that takes HOG features beside the pixels gets them here, from the same crop. Not safe for use from
    several threads at once. Without HOG `scores` allocates nothing but its result.
    """

    def __init__(self, path: Path, *, threads: int = 1, allow_float: bool = False, xnnpack: bool = True) -> None:
        """Open and check a model file.

        Args:
            path: a file written by ``fer-edge convert``.
            threads: CPU threads of the interpreter.
            allow_float: accept a float file as well, for comparisons; the device loop does not.
            xnnpack: let the runtime hand over to its default delegate, XNNPACK; without, its own kernels do the work.

        Raises:
            ModelFileError: not a TFLite file, without fer-edge's metadata, with another input or output, or damaged.
            MissingExtraError: no TFLite runtime is installed.
        """
        check_tflite(path)
        self.info = read_info(path)
        self.path = path
        runtime, content = load_runtime(), path.read_bytes()
        try:
            with native_stderr_held():  # it announces its XNNPACK delegate
                types = runtime.OpResolverType
                self.interpreter = runtime.Interpreter(
                    model_content=content,  # not the path: a name may be no text that the runtime takes
                    num_threads=threads,
                    experimental_op_resolver_type=types.AUTO if xnnpack else types.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
                )
                check_sizes(self.interpreter, path)
                self.interpreter.allocate_tensors()
                check_sizes(self.interpreter, path)
        except (ValueError, RuntimeError, SystemError) as error:  # SystemError: tflite-runtime under numpy 2
            raise _refusal(path, error) from error
        self._check(allow_float)
        try:
            with native_stderr_held():
                self.interpreter.invoke()  # weights that are lost inside the file show only now
        except (ValueError, RuntimeError) as error:
            raise _refusal(path, error) from error

    def _check(self, allow_float: bool) -> None:
        size, classes = self.info.input_size, len(self.info.labels)
        inputs, outputs = self.interpreter.get_input_details(), self.interpreter.get_output_details()
        inputs.sort(key=lambda tensor: -len(tensor["shape"]))  # pixels, then features
        found = _describe(inputs)
        kinds = ("int8", "float32") if allow_float else ("int8",)
        self._hog_gain = _hog_gain(self.info, self.path)
        shapes = [f"1x{size}x{size}x{self.info.channels}"] + ([f"1x{hog_length(size)}"] if self._hog_gain else [])
        if found not in [" and ".join(f"{kind} {shape}" for shape in shapes) for kind in kinds]:
            raise ModelFileError(
                f"{self.path}: expected an {' or '.join(kinds)} input of {' and of '.join(shapes)}, found {found}; "
                "convert the model with 'fer-edge convert --int8'"
            )
        if len(outputs) != 1 or list(outputs[0]["shape"]) != [1, classes]:
            raise ModelFileError(
                f"{self.path}: expected an output of 1x{classes} for its {classes} labels, found {_describe(outputs)}; "
                "convert the model again"
            )
        self.is_int8 = inputs[0]["dtype"] is np.int8
        self._input, self._output = inputs[0]["index"], outputs[0]["index"]
        self._scale, self._zero_point = 1.0, 0
        if self.is_int8:
            scale, zero_point = inputs[0]["quantization"]
            expected = INPUT_ZERO_POINT + self.info.input_zero
            if abs(scale - INPUT_SCALE) > 1e-6 or zero_point != expected:
                raise ModelFileError(
                    f"{self.path}: expected an input of scale 1/255 and zero point {expected}, found scale {scale:.6f} "
                    f"and zero point {zero_point}; convert the model with 'fer-edge convert --int8'"
                )
            self._scale, self._zero_point = outputs[0]["quantization"]
        if self._hog_gain:
            self._extractor = HogExtractor(size)
            self._hog_input = inputs[1]["index"]
            scale, zero_point = inputs[1]["quantization"] if self.is_int8 else (1.0, 0)
            self._hog_factor, self._hog_zero_point = np.float32(self._hog_gain / scale), int(zero_point)

    def scores(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the class probabilities (classes,) of one uint8 crop of size x size, its contrast as it was cut.

        A colour model takes RGB crops of size x size x 3.
        """
        crop = normalise_crop(crop, self.info.contrast)
        # A view into the interpreter's own memory; it must not outlive this call, hence the nested brackets.
        target = self.interpreter.tensor(self._input)()[0]
        if crop.ndim == 2:
            target = target[:, :, 0]
        if self.is_int8:
            np.bitwise_xor(crop, 0x80, out=target.view(np.uint8))  # x - 128 in two's complement
        else:
            np.multiply(crop, np.float32(1 / 255), out=target)
            if self.info.input_zero:
                target -= np.float32(self.info.input_zero / 255)
        del target
        if self._hog_gain:
            self._write_features(crop)
        self.interpreter.invoke()
        raw = self.interpreter.get_tensor(self._output)[0]
        scores: NDArray[np.float32] = (raw.astype(np.float32) - self._zero_point) * np.float32(self._scale)
        return scores

    def _write_features(self, crop: NDArray[np.uint8]) -> None:
        features = self._extractor.features(crop) * self._hog_factor
        target = self.interpreter.tensor(self._hog_input)()[0]
        if self.is_int8:
            np.clip(np.rint(features) + self._hog_zero_point, -128, 127, out=target, casting="unsafe")
        else:
            target[:] = features

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return class probabilities, N x classes, for uint8 images of N x size x size; raises DataError for others.

        A colour model takes RGB images of N x size x size x 3.
        """
        shape = crop_shape(self.info)
        if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape[1:] != shape:
            array = isinstance(images, np.ndarray)
            found = f"{images.dtype} {'x'.join(map(str, images.shape))}" if array else type(images).__name__
            raise DataError(
                f"{self.path.name}: expected uint8 crops of N{''.join(f'x{side}' for side in shape)}, found {found}; "
                "fer_edge.preprocess.image_crop makes one of an image of a face"
            )
        scores = np.empty((len(images), len(self.info.labels)), np.float32)
        for row, image in zip(scores, images, strict=True):
            row[:] = self.scores(image)
        return scores


def check_sizes(interpreter: Any, path: Path) -> None:
    """Raise ModelFileError where tensors take more memory than a model's, which a few changed bytes can make of one.

    Ask before `allocate_tensors`, and after it: only then the runtime has worked out what depends on others.
    """
    tensors = interpreter.get_tensor_details()
    sizes = (math.prod(map(int, tensor["shape"])) * np.dtype(tensor["dtype"]).itemsize for tensor in tensors)
    if (total := sum(sizes)) > LARGEST_TENSORS_BYTES:
        raise ModelFileError(
            f"{path}: expected a model that takes up to {LARGEST_TENSORS_BYTES >> 20} MB of memory, found one that "
            f"takes {total >> 20} MB; convert the model again"
        )


def _refusal(path: Path, error: Exception) -> ModelFileError:
    reason = str(error).splitlines() or [type(error).__name__]
    return ModelFileError(f"{path}: the TFLite runtime refuses this file ({reason[0]}); convert the model again")


def _hog_gain(info: ModelInfo, path: Path) -> float:
    """Return the factor on HOG features of a model that takes them as its second input, 0 for one that does not."""
    stored = info.conversion.get("hog")
    if stored is None:
        return 0.0
    try:
        gain, definition = float(stored["gain"]), {key: stored[key] for key in HOG_DEFINITION}
    except (KeyError, TypeError, ValueError, OverflowError):
        gain, definition = 0.0, {}
    if not gain > 0 or definition != HOG_DEFINITION:
        raise ModelFileError(
            f"{path}: expected HOG features of {_named(HOG_DEFINITION)}, found "
            f"{_named(definition) or 'no definition'}; convert the model again"
        )
    return gain


def _named(definition: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in definition.items())


def _describe(tensors: list[dict[str, Any]]) -> str:
    return " and ".join(f"{t['dtype'].__name__} {'x'.join(map(str, t['shape']))}" for t in tensors) or "none"
