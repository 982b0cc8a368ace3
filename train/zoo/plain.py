"""``nano``, ``compact``, ``large``, ``teacher``: convolutions of 3x3 or 3x4, batch norm, ReLU6, average pooling.

Depthwise-separable convolutions have fewer multiply-adds but are two to three times slower per
multiply-add in the int8 kernels of the TFLite runtime, and train slower; plain ones with few channels
are both faster and more accurate at the same file size. The channel counts are multiples of four or
eight, which is how the runtime's kernels tile.

All shrink the picture in their first convolution: as accurate as a first layer at full size, in three quarters of the
time. Their last maps of 6x6 are pooled to 3x3, not to one number each, so that the dense layer knows where in the
face something was seen; that alone gained two points. Some of their maps are weighed by the means of all (squeeze and
excitation). ``compact`` has 64 channels where it can: processors with tiles of 64 take as long for 72 as for 128.
"""

from __future__ import annotations

from typing import Any

from fer_edge.train.keras_setup import load_keras

STAGES = {
    "nano": ((12, 2), (12, 1), (24, 2), (24, 1), (44, 2), (48, 1)),
    "compact": ((24, 2), (24, 1), (40, 2), (48, 1), (64, 2), (64, 1), (96, 1)),
    "large": ((40, 2), (40, 1), (96, 2), (96, 1), (96, 1), (144, 2), (152, 1), (152, 1)),
    "teacher": ((64, 2), (96, 1), (192, 2), (192, 1), (192, 1), (320, 2), (320, 1), (320, 1)),
}
"""Name -> (channels, stride) of each convolution: 3.0, 12.0, 59.7 and 253 M multiply-adds at 48x48."""

KERNEL, SHRINKING = 3, (3, 4)
"""Of kernels, in pixels: with four columns a window that moves by two takes the same pixels of a mirrored picture."""

FREE = ("nano",)
"""Those that are better not mirror-equivariant: they have channels instead of the fourth column (docs/models.md)."""

EXCITED = {"nano": (4, 6), "compact": (4, 7), "large": (5, 8), "teacher": (5, 8)}
"""Name -> the convolutions whose maps are weighed: the last ones at 12x12 and at 6x6; at 24x24 it costs more time."""

SQUEEZE = 4
"""Maps for each unit in between that the weights are computed from; 8 units at least."""


def excited(x: Any, number: int) -> Any:
    """Return the maps `x`, each times a weight of 0 to 1 that depends on the means of all of them.

    Squeeze and excitation (Hu et al. 2018, arXiv:1709.01507, section 3), with a batch norm between: without it most of
    the units there soon answer to no picture. As convolutions of 1x1, the int8 file needs no reshaping.
    """
    layers = load_keras().layers
    channels = x.shape[-1]
    means = layers.GlobalAveragePooling2D(keepdims=True, name=f"squeeze{number}")(x)
    units = max(channels // SQUEEZE, 8)
    between = layers.Conv2D(units, 1, use_bias=False, name=f"between{number}")(means)
    between = layers.BatchNormalization(momentum=0.95, name=f"between_norm{number}")(between)
    between = layers.ReLU(max_value=6.0, name=f"between_relu{number}")(between)
    weights = layers.Conv2D(channels, 1, activation="sigmoid", name=f"excite{number}")(between)
    return layers.Multiply(name=f"weigh{number}")([x, weights])


def build(name: str, input_size: int, classes: int, dropout: float) -> Any:
    """Return a Keras model from float32 pixels 0..255 (size x size x 1) to class probabilities."""
    keras = load_keras()
    layers = keras.layers
    inputs = keras.Input((input_size, input_size, 1), name="image")
    x = layers.Rescaling(1 / 255, name="scale")(inputs)
    for number, (channels, stride) in enumerate(STAGES[name], start=1):
        x = layers.Conv2D(
            channels,
            KERNEL if stride == 1 or name in FREE else SHRINKING,
            strides=stride,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"conv{number}",
        )(x)
        # 0.95 lets the statistics settle within a short run too; an epoch of FER2013 has 440 steps.
        x = layers.BatchNormalization(momentum=0.95, name=f"norm{number}")(x)
        x = layers.ReLU(max_value=6.0, name=f"relu{number}")(x)  # a bounded range quantizes well
        if number in EXCITED[name]:
            x = excited(x, number)
    x = layers.Flatten(name="features")(layers.AveragePooling2D(2, name="pool")(x))
    x = layers.Dropout(dropout, name="dropout")(x)
    # Probabilities need more than the eight bits of bfloat16, in which the rest may be computed.
    x = layers.Dense(classes, name="logits", dtype="float32")(x)
    return keras.Model(inputs, layers.Softmax(name="probabilities", dtype="float32")(x), name=name)
