"""The inside of a ``.tflite`` model, through the runtime's intermediate tensors."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ModelFileError
from fer_edge.model_file import ModelInfo
from fer_edge.runtime import TFLiteModel, load_runtime
from fer_edge.train.explain.network import Filters, Layer, centred_log


class TFLiteNetwork:
    """A converted model; a `fer_edge.train.explain.network.Network`.

    It runs on the runtime's own kernels, whose int8 results differ from the delegate's by one step at most,
    and with all tensors kept, so that each operator's output can still be read after a run.
    """

    def __init__(self, path: Path) -> None:
        """Open it; raises what `TFLiteModel` raises."""
        self.path = path
        self._classifier = TFLiteModel(path, allow_float=True)
        interpreter = self._classifier.interpreter = _keeping_interpreter(path)  # same file, same tensor numbers
        self._tensors = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
        self._operators = interpreter._get_ops_details()  # the public interface lists tensors only
        self._output_of: dict[str, int] = {}
        layers, seen = [], Counter[str]()
        for operator in self._operators:
            seen[operator["op_name"]] += 1
            tensor = self._tensors[operator["outputs"][0]]
            if tensor["dtype"] is np.float32 or tensor["quantization"][0]:
                name = f"{operator['op_name'].lower()}_{seen[operator['op_name']]}"
                self._output_of[name] = tensor["index"]
                shape = tuple(map(int, tensor["shape"][1:]))
                layers.append(Layer(name, operator["op_name"], shape, self._pools(operator)))
        self.layers: tuple[Layer, ...] = tuple(layers)

    def _pools(self, operator: dict[str, Any]) -> bool:
        """Return whether an operator is a depthwise convolution with the same weight everywhere, a mean."""
        if operator["op_name"] != "DEPTHWISE_CONV_2D":
            return False
        weights = self._classifier.interpreter.get_tensor(operator["inputs"][1])
        return bool((weights == weights.flat[0]).all())

    @property
    def info(self) -> ModelInfo:
        """Labels, input size and provenance."""
        return self._classifier.info

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return class probabilities, N x classes, for uint8 images of N x size x size."""
        return self._classifier.predict(images)

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what the softmax is fed, N x classes, less its mean over the classes.

        Read before the softmax, whose int8 output has no steps between 0 and 1/256.
        """
        last = self._operators[-1]
        if last["op_name"] != "SOFTMAX":
            return centred_log(self.predict(images))
        logits = np.empty((len(images), len(self.info.labels)), np.float32)
        for row, image in zip(logits, images, strict=True):
            self._classifier.scores(image)
            row[:] = self._value(last["inputs"][0])[0]
        logits -= logits.mean(axis=1, keepdims=True)
        return logits

    def activations(self, image: NDArray[np.uint8], layers: Sequence[Layer]) -> list[NDArray[np.float32]]:
        """Return the outputs of `layers`, dequantized, each of its `Layer.shape`, for one uint8 image."""
        self._classifier.scores(image)
        return [self._value(self._output_of[layer.name])[0] for layer in layers]

    def filters(self) -> Filters:
        """Return the dequantized kernels of the first convolution, averaged over channels, or of a dense layer."""
        size = self.info.input_size
        for operator, layer in self._weighted():
            shape = tuple(self._tensors[operator["inputs"][1]]["shape"])
            if (
                operator["op_name"] == "CONV_2D" and shape[3] == self.info.channels
            ):  # filters x height x width x channels
                return Filters(layer, self._value(operator["inputs"][1]).mean(axis=-1))
            if operator["op_name"] == "CONV_2D" and operator["inputs"][0] in self._blocks():
                return Filters(layer, _of_pixels(self._value(operator["inputs"][1])))
            if operator["op_name"] == "FULLY_CONNECTED" and shape[1] == size * size:
                return Filters(layer, self._value(operator["inputs"][1]).reshape(-1, size, size))
        raise ModelFileError(
            f"{self.path}: expected a first operator that convolves pixels or takes all of them, found neither; "
            "leave out --filters"
        )

    def _blocks(self) -> set[int]:
        """Return the tensors that hold blocks of 2x2 pixels as channels."""
        return {operator["outputs"][0] for operator in self._operators if operator["op_name"] == "SPACE_TO_DEPTH"}

    def _weighted(self) -> list[tuple[Any, str]]:
        names = {index: name for name, index in self._output_of.items()}
        return [
            (operator, names[operator["outputs"][0]])
            for operator in self._operators
            if operator["op_name"] in ("CONV_2D", "FULLY_CONNECTED") and operator["outputs"][0] in names
        ]

    def _value(self, index: int) -> NDArray[np.float32]:
        """Return a tensor's real values: (stored - zero point) * scale, one of each for all or for each channel."""
        stored: NDArray[np.float32] = self._classifier.interpreter.get_tensor(index).astype(np.float32)
        quantization = self._tensors[index]["quantization_parameters"]
        if not len(quantization["scales"]):
            return stored
        shape = [1] * stored.ndim
        shape[quantization["quantized_dimension"]] = -1
        scales, zero_points = (quantization[key].reshape(shape) for key in ("scales", "zero_points"))
        value: NDArray[np.float32] = ((stored - zero_points) * scales).astype(np.float32)
        return value


def _of_pixels(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return filters x 3 x 3, or x 3 x 4, of a kernel on blocks: what `fer_edge.convert.export.blocks` did, undone."""
    filters, rows, columns, _ = kernel.shape
    apart = kernel.reshape(filters, rows, columns, 2, 2)  # filter, block row, block column, row in it, column in it
    pixels = apart.transpose(0, 1, 3, 2, 4).reshape(filters, 2 * rows, 2 * columns)
    return pixels[:, :3, :3] if columns == rows else pixels[:, :3, 1:-1]


def _keeping_interpreter(path: Path) -> Any:
    runtime, content = load_runtime(), path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that keeping all tensors takes memory
        interpreter = runtime.Interpreter(
            model_content=content,  # not the path: a name may be no text that the runtime takes
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=runtime.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
    interpreter.allocate_tensors()
    return interpreter
