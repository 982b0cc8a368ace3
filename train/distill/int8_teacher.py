"""A converted model, such as a shipped one, as a teacher: the input of its softmax, not the rounded output.

An int8 file gives probabilities in steps of 1/256, so that every unlikely class becomes 0. The teachers' outputs are
softened, and there the unlikely classes count (Hinton, Vinyals and Dean 2015, arXiv:1503.02531, section 2). The values
before the softmax are int8 as well, but in steps of their own, which are equal factors of the probability.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ModelFileError
from fer_edge.lazy import require
from fer_edge.model_file import flatbuffer
from fer_edge.quiet import native_stderr_held
from fer_edge.runtime import TFLiteModel, load_runtime


class Int8Teacher(TFLiteModel):
    """An int8 ``.tflite`` file whose `predict` gives probabilities that are not rounded to 1/256."""

    def __init__(self, path: Path) -> None:
        """Open and check the file.

        Raises:
            MissingExtraError: no TFLite runtime is installed.
            ModelFileError: not an int8 model of fer-edge, or one that does not end in a softmax.
        """
        super().__init__(path)
        content = _without_softmax(path)
        with native_stderr_held():  # it announces its XNNPACK delegate
            self.interpreter = load_runtime().Interpreter(model_content=content, num_threads=1)
            self.interpreter.allocate_tensors()
        output = self.interpreter.get_output_details()[0]
        inputs = sorted(self.interpreter.get_input_details(), key=lambda tensor: -len(tensor["shape"]))
        self._input, self._output = inputs[0]["index"], output["index"]
        if len(inputs) > 1:
            self._hog_input = inputs[1]["index"]
        self._scale, self._zero_point = output["quantization"]

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return class probabilities, N x classes, for uint8 images of N x size x size."""
        logits = super().predict(images)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
        return probabilities


def _without_softmax(path: Path) -> bytes:
    """Return the flatbuffer of a file with its last operator, the softmax, taken off."""
    flatbuffers = require("flatbuffers", "train")
    schema = require("ai_edge_litert.schema_py_generated", "train")
    model: Any = schema.ModelT.InitFromPackedBuf(flatbuffer(path.read_bytes()))
    graph = model.subgraphs[0]
    last = graph.operators.pop()
    code = model.operatorCodes[last.opcodeIndex]
    kind = max(code.builtinCode, code.deprecatedBuiltinCode)
    if kind != schema.BuiltinOperator.SOFTMAX or list(last.outputs) != list(graph.outputs):
        raise ModelFileError(f"{path}: expected a model that ends in a softmax; teach with its .keras file")
    # The softmax's own tensor stays in the list, unused: taking it out would renumber the others.
    graph.outputs = last.inputs
    for signature in model.signatureDefs or []:
        for output in signature.outputs or []:
            output.tensorIndex = int(last.inputs[0])
    builder = flatbuffers.Builder(len(path.read_bytes()))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())
