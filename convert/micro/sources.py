"""The sources of a network: plain C++11 that needs no header but the compiler's own."""

from __future__ import annotations

import dataclasses
import re
import string
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_edge.model_file import ModelInfo
from fer_edge.preprocess import CLAHE_CLIP, CLAHE_TILES

HEADER, MODEL, GOLDEN, OPERATORS, README = (
    "fer_model.h",
    "fer_model.cc",
    "fer_golden.cc",
    "fer_operators.h",
    "README.md",
)
ALIGNMENT = 16
"""Of the flatbuffer, in bytes, as TensorFlow Lite Micro asks for."""

ROUND_ARENA_BYTES = 1024
"""The arena is rounded up to this, and one more is added for what other versions allocate."""


@dataclasses.dataclass(frozen=True)
class Parts:
    """What the sources are made of.

    Attributes:
        info: of the model file.
        sha256: of the model file.
        flatbuffer: the network.
        rows: of the input in pixels.
        columns: of the input in pixels.
        methods: that register its operators.
        arena_bytes: measured.
        output_scale: real numbers an int8 step of an output.
        output_zero_point: int8 value that stands for 0.
        inputs: int8, N x rows x columns x channels.
        outputs: int8, N x values: what TensorFlow Lite Micro made of `inputs`.
    """

    info: ModelInfo
    sha256: str
    flatbuffer: bytes
    rows: int
    columns: int
    methods: Sequence[str]
    arena_bytes: int
    output_scale: float
    output_zero_point: int
    inputs: NDArray[np.int8]
    outputs: NDArray[np.int8]

    @property
    def arena_size(self) -> int:
        """The arena to reserve, in bytes: what was measured, rounded up, and a little more."""
        return (-(-self.arena_bytes // ROUND_ARENA_BYTES) + 1) * ROUND_ARENA_BYTES


def sources(parts: Parts) -> dict[str, str]:
    """Return the files of a network: name -> text."""
    return {
        HEADER: _header(parts),
        MODEL: _model(parts),
        GOLDEN: _golden(parts),
        OPERATORS: _operators(parts),
        README: _readme(parts),
    }


def _intro(parts: Parts) -> str:
    name = re.sub(r"[^ -~]|\\", "?", parts.info.name)
    lines = f"The network '{name}' for TensorFlow Lite Micro, made by fer-edge.", f"SHA-256 of the file: {parts.sha256}"
    return "".join(f"// {line}\n" for line in lines)


def _header(parts: Parts) -> str:
    channels, outputs = parts.info.channels, parts.outputs.shape[1]
    colour = "grey: full-range BT.601 luma" if channels == 1 else "RGB, of full-range BT.601"
    return f"""{_intro(parts)}#ifndef FER_MODEL_H_
#define FER_MODEL_H_

#include <stddef.h>
#include <stdint.h>

// Input: rows x columns x channels bytes, {colour}, as int8: pixel - 128.
enum {{ kFerRows = {parts.rows}, kFerColumns = {parts.columns}, kFerChannels = {channels} }};
enum {{ kFerInputBytes = kFerRows * kFerColumns * kFerChannels }};

// Output: one int8 a class; its value is (int8 - kFerOutputZeroPoint) * kFerOutputScale.
enum {{ kFerOutputs = {outputs} }};
enum {{ kFerLabels = {len(parts.info.labels)}, kFerOutputZeroPoint = {parts.output_zero_point} }};
static const float kFerOutputScale = {parts.output_scale!r}f;
extern const char* const kFerLabel[kFerLabels];

// Working memory: {parts.arena_bytes} bytes were used by TensorFlow Lite Micro on a 64-bit machine.
enum {{ kFerArenaBytes = {parts.arena_size} }};

extern const unsigned char kFerModel[];  // aligned to {ALIGNMENT} bytes
extern const size_t kFerModelBytes;

// Inputs, and the outputs that they must give; link fer_golden.cc only into tests.
enum {{ kFerGoldens = {len(parts.inputs)} }};
extern const int8_t kFerGoldenInput[kFerGoldens][kFerInputBytes];
extern const int8_t kFerGoldenOutput[kFerGoldens][kFerOutputs];

#endif  // FER_MODEL_H_
"""


def _model(parts: Parts) -> str:
    labels = ", ".join(_c_string(label) for label in parts.info.labels)
    return f"""{_intro(parts)}#include "fer_model.h"

const char* const kFerLabel[kFerLabels] = {{{labels}}};

const size_t kFerModelBytes = {len(parts.flatbuffer)};
alignas({ALIGNMENT}) extern const unsigned char kFerModel[] = {{
{_numbers(np.frombuffer(parts.flatbuffer, np.uint8))}}};
"""


def _golden(parts: Parts) -> str:
    def rows(arrays: NDArray[np.int8]) -> str:
        return ",\n".join(f"{{\n{_numbers(array.reshape(-1))}}}" for array in arrays)

    return f"""{_intro(parts)}#include "fer_model.h"

const int8_t kFerGoldenInput[kFerGoldens][kFerInputBytes] = {{
{rows(parts.inputs)}}};

const int8_t kFerGoldenOutput[kFerGoldens][kFerOutputs] = {{
{rows(parts.outputs)}}};
"""


def _operators(parts: Parts) -> str:
    added = "".join(f"  resolver.{method}();\n" for method in parts.methods)
    return f"""{_intro(parts)}#ifndef FER_OPERATORS_H_
#define FER_OPERATORS_H_

enum {{ kFerOperators = {len(parts.methods)} }};

// Registers what the network needs; Resolver is tflite::MicroMutableOpResolver<kFerOperators>.
template <typename Resolver>
void FerRegister(Resolver& resolver) {{
{added}}}

#endif  // FER_OPERATORS_H_
"""


def _numbers(values: NDArray[np.generic]) -> str:
    flat = values.tolist()
    return "".join(",".join(map(str, flat[i : i + 24])) + ",\n" for i in range(0, len(flat), 24))


def _c_string(text: str) -> str:
    """Return a C string of UTF-8; whatever is no plain letter, digit or space as three octal digits."""
    plain = string.ascii_letters + string.digits + " "
    return '"' + "".join(chr(byte) if chr(byte) in plain else f"\\{byte:03o}" for byte in text.encode()) + '"'


def _readme(parts: Parts) -> str:
    info = parts.info
    size = f"{parts.rows} x {parts.columns} {'grey' if info.channels == 1 else 'RGB'} pixels"
    return f"""# {info.name} on a microcontroller

{size} in, {parts.outputs.shape[1]} int8 values out ({", ".join(info.labels)}).
Flash: {len(parts.flatbuffer):,} bytes. Arena: {parts.arena_bytes:,} bytes measured, {parts.arena_size:,} reserved.

| file | holds |
|---|---|
| `{HEADER}` | sizes, scale, labels, declarations |
| `{MODEL}` | the network, aligned to {ALIGNMENT} bytes |
| `{OPERATORS}` | the operators to register |
| `{GOLDEN}` | {len(parts.inputs)} inputs and the outputs that they must give; for tests |

```cpp
#include "fer_model.h"
#include "fer_operators.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

alignas({ALIGNMENT}) static uint8_t arena[kFerArenaBytes];

int Classify(const uint8_t* pixels) {{
  static tflite::MicroMutableOpResolver<kFerOperators> resolver;
  static bool registered = (FerRegister(resolver), true);
  (void)registered;
  static tflite::MicroInterpreter interpreter(tflite::GetModel(kFerModel), resolver, arena, kFerArenaBytes);
  static bool ready = interpreter.AllocateTensors() == kTfLiteOk;
  if (!ready) return -1;
  int8_t* input = interpreter.input(0)->data.int8;
  for (int i = 0; i < kFerInputBytes; ++i) input[i] = static_cast<int8_t>(pixels[i] - 128);
  if (interpreter.Invoke() != kTfLiteOk) return -1;
  const int8_t* output = interpreter.output(0)->data.int8;
  int best = 0;
  for (int i = 1; i < kFerOutputs; ++i) best = output[i] > output[best] ? i : best;
  return best;  // kFerLabel[best]
}}
```

To test a board, feed each `kFerGoldenInput` as it is and compare with `kFerGoldenOutput`. Kernels made for a processor
may differ by a step or two of 256.

- **ESP-IDF**: put the folder into `components/`, and add `idf_component_register(SRCS "{MODEL}" INCLUDE_DIRS "."
  REQUIRES esp-tflite-micro)`.
- **Arduino**: copy `{HEADER}`, `{MODEL}` and `{OPERATORS}` into the sketch's folder, `{MODEL}` renamed to
  `fer_model.cpp`. Install a library of TensorFlow Lite Micro for the board.
- **Zephyr**: add `target_sources(app PRIVATE {MODEL})`, and set `CONFIG_CPP=y` and `CONFIG_TENSORFLOW_LITE_MICRO=y`.

{_crop(info)}"""


CONTRASTS = {
    "none": "",
    "equalize": "Then its histogram is equalized, as OpenCV's `equalizeHist` does.",
    "clahe": "Then its contrast is normalised, as OpenCV's "
    f"`createCLAHE({CLAHE_CLIP}, ({CLAHE_TILES}, {CLAHE_TILES}))` does.",
}


def _crop(info: ModelInfo) -> str:
    """Return what must be done to a face before the network sees it."""
    if info.framing == "eyes":
        framed = "turned upright and framed by eyes and mouth, as `fer_edge.faces.upright` does"
    else:
        framed = "centred on the face, as wide as its box"
    said = [f"A crop of a face must look as in training: square, {framed}."]
    if info.contrast != "none":
        said += [CONTRASTS[info.contrast], "The network does not do this itself. The golden inputs have it already."]
    return "\n".join(said) + "\n"
