"""Runs on every kind of machine: keep a model's raw int8 outputs.

python outputs.py MODEL FACES.npy OUT.npy auto|plain|reference

FACES: uint8, N x size x size. OUT: int8, N x classes. `plain` takes the runtime's own kernels instead of XNNPACK's,
`reference` the slow ones that are written to be read.
"""

import sys

import numpy as np

from fer_edge.runtime import load_runtime

model, faces, out, kernels = sys.argv[1:]
runtime = load_runtime()
resolver = {"auto": "AUTO", "plain": "BUILTIN_WITHOUT_DEFAULT_DELEGATES", "reference": "BUILTIN_REF"}[kernels]
interpreter = runtime.Interpreter(
    model_path=model, num_threads=1, experimental_op_resolver_type=getattr(runtime.OpResolverType, resolver)
)
interpreter.allocate_tensors()
(entry,), (exit_,) = interpreter.get_input_details(), interpreter.get_output_details()
outputs = []
for face in np.load(faces):
    interpreter.set_tensor(entry["index"], (face ^ 0x80).view(np.int8)[None, :, :, None])
    interpreter.invoke()
    outputs.append(interpreter.get_tensor(exit_["index"])[0])
np.save(out, np.stack(outputs))
print(runtime.__name__, np.__version__)
