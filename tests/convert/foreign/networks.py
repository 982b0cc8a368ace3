"""Twelve networks as people bring them, small enough to train in a test."""

from __future__ import annotations

from fer_edge.train.keras_setup import load_keras


def layers():
    return load_keras().layers


def sequential(size=48, filters=8):
    """A course's network: convolutions and max-pooling, its own rescaling."""
    build = layers()
    return load_keras().Sequential(
        [
            load_keras().Input((size, size, 1)),
            build.RandomFlip("horizontal"),
            build.Rescaling(1 / 255),
            build.Conv2D(filters, 3, activation="relu"),
            build.MaxPooling2D(),
            build.BatchNormalization(),
            build.Conv2D(2 * filters, 3, activation="relu", padding="same"),
            build.MaxPooling2D(),
            build.Conv2D(4 * filters, 3, activation="relu"),
            build.GlobalMaxPooling2D(),
            build.Dropout(0.2),
            build.Dense(32, activation="tanh"),
            build.Dense(7, activation="softmax"),
        ]
    )


def normalized(size=48, filters=8):
    """Begins with a Normalization layer of fixed mean and variance."""
    build = layers()
    return load_keras().Sequential(
        [
            load_keras().Input((size, size, 1)),
            build.Normalization(mean=[120.0], variance=[60.0**2]),
            build.Conv2D(filters, 5, 2, padding="same", use_bias=False),
            build.BatchNormalization(),
            build.LeakyReLU(),
            build.ZeroPadding2D(1),
            build.Conv2D(2 * filters, 3, 2, use_bias=False),
            build.BatchNormalization(),
            build.LeakyReLU(0.1),
            build.AveragePooling2D(2),
            build.Flatten(),
            build.Dense(7, activation="softmax"),
        ]
    )


def residual(size=48, filters=8):
    """A residual net with sums by an operator, and pixels scaled by operators."""
    build = layers()
    inputs = load_keras().Input((size, size, 1))
    x = inputs / 255.0
    x = build.ReLU()(build.BatchNormalization()(build.Conv2D(filters, 3, 2, padding="same")(x)))
    for stage in range(2):
        y = build.ReLU()(build.BatchNormalization()(build.Conv2D(filters * 2**stage, 3, padding="same")(x)))
        y = build.BatchNormalization()(build.Conv2D(filters * 2**stage, 3, padding="same")(y))
        x = build.ReLU()(x + y)
        x = build.ReLU()(build.BatchNormalization()(build.Conv2D(filters * 2 ** (stage + 1), 3, 2, padding="same")(x)))
    x = build.GlobalAveragePooling2D()(x)
    return load_keras().Model(inputs, build.Dense(7, activation="softmax")(x))


def swish(size=48, filters=8):
    """Squeeze-and-excitation with dense layers, swish and hard-swish; sees -1..1."""
    build = layers()
    inputs = load_keras().Input((size, size, 1))
    x = build.Rescaling(1 / 127.5, offset=-1)(inputs)
    x = build.Activation("swish")(build.BatchNormalization()(build.Conv2D(filters, 3, 2, padding="same")(x)))
    weights = build.GlobalAveragePooling2D(keepdims=True)(x)
    weights = build.Conv2D(filters, 1, activation="sigmoid")(build.Conv2D(filters // 2, 1, activation="relu")(weights))
    x = build.Multiply()([x, weights])
    x = build.Activation("hard_swish")(
        build.BatchNormalization()(build.SeparableConv2D(2 * filters, 3, 2, padding="same")(x))
    )
    left, right = build.Conv2D(filters, 3, padding="same")(x), build.Conv2D(filters, 1, activation="silu")(x)
    x = build.Concatenate()([left, right])
    x = build.Conv2D(4 * filters, 3, 2, activation="relu6")(x)
    x = build.GlobalAveragePooling2D()(x)
    return load_keras().Model(inputs, build.Dense(7, activation="softmax")(x))


def logits(size=48, filters=8):
    """Ends with logits, and scales no pixels: its data pipeline did."""
    build = layers()
    return load_keras().Sequential(
        [
            load_keras().Input((size, size, 1)),
            build.Conv2D(filters, 3, 2, activation="relu", padding="same"),
            build.Conv2D(2 * filters, 3, 2, activation="relu", padding="same"),
            build.Conv2D(4 * filters, 3, 2, activation="relu", padding="same"),
            build.GlobalAveragePooling2D(),
            build.Dense(7),
        ]
    )


def nested(size=48, filters=8):
    """A backbone as one layer of another model, as transfer learning leaves it."""
    build = layers()
    backbone = load_keras().Sequential(
        [
            load_keras().Input((size, size, 1)),
            build.Conv2D(filters, 3, 2, padding="same", activation="relu"),
            load_keras().Sequential(
                [build.Conv2D(2 * filters, 3, 2, padding="same"), build.BatchNormalization(), build.ReLU(6.0)]
            ),
            build.DepthwiseConv2D(3, padding="same"),
            build.BatchNormalization(),
            build.ReLU(),
            build.Conv2D(4 * filters, 1, activation="relu"),
        ]
    )
    inputs = load_keras().Input((size, size, 1))
    x = build.GlobalAveragePooling2D()(backbone(build.Rescaling(1 / 255)(inputs)))
    return load_keras().Model(inputs, build.Dense(7, activation="softmax")(build.Dropout(0.2)(x)))


def mini_xception(size=64, filters=8):
    """Separable convolutions with residual branches, no dense layer (Arriaga et al. 2017, arXiv:1710.07557)."""
    build = layers()
    inputs = load_keras().Input((size, size, 1))
    x = build.Rescaling(1 / 127.5, offset=-1)(inputs)
    x = build.ReLU()(build.BatchNormalization()(build.Conv2D(filters, 3, use_bias=False)(x)))
    for stage in (2, 4):
        shortcut = build.BatchNormalization()(build.Conv2D(stage * filters, 1, 2, padding="same", use_bias=False)(x))
        y = build.BatchNormalization()(build.SeparableConv2D(stage * filters, 3, padding="same", use_bias=False)(x))
        y = build.ReLU()(y)
        y = build.BatchNormalization()(build.SeparableConv2D(stage * filters, 3, padding="same", use_bias=False)(y))
        x = build.Add()([build.MaxPooling2D(3, 2, padding="same")(y), shortcut])
    x = build.GlobalAveragePooling2D()(build.Conv2D(7, 3, padding="same")(x))
    return load_keras().Model(inputs, build.Activation("softmax")(x))


def vgg(size=48, filters=8):
    """Pairs of convolutions, and dense layers with batch norm."""
    build = layers()
    parts = [load_keras().Input((size, size, 1)), build.Rescaling(1 / 255)]
    for stage in (1, 2, 4):
        for _ in range(2):
            parts += [
                build.Conv2D(stage * filters, 3, padding="same"),
                build.BatchNormalization(),
                build.Activation("relu"),
            ]
        parts += [build.MaxPooling2D(), build.SpatialDropout2D(0.1)]
    parts += [
        build.Flatten(),
        build.Dense(32),
        build.BatchNormalization(),
        build.ReLU(),
        build.Dropout(0.2),
        build.Dense(7),
        build.Softmax(),
    ]
    return load_keras().Sequential(parts)


def mobilenet_v2(size=96):
    """RGB in -1..1, scaled outside of the network."""
    return load_keras().applications.MobileNetV2((size, size, 3), alpha=0.35, weights=None, classes=7)


def mobilenet_v3(size=112):
    """RGB; scales its pixels itself."""
    return load_keras().applications.MobileNetV3Small((size, size, 3), weights=None, classes=7)


NETWORKS = {
    "sequential": (sequential, ".keras", None),
    "normalized": (normalized, ".keras", None),
    "legacy": (sequential, ".h5", None),
    "saved-model": (normalized, "", None),
    "nested": (nested, ".keras", None),
    "mobilenet-v2": (mobilenet_v2, ".keras", "-1..1"),
    "mobilenet-v3": (mobilenet_v3, ".keras", None),
    "residual": (residual, ".keras", None),
    "swish": (swish, ".keras", None),
    "logits": (logits, ".keras", "0..1"),
    "mini-xception": (mini_xception, ".keras", None),
    "vgg": (vgg, ".keras", None),
}
"""Name -> (what builds it, how it is saved, the scale that it wants)."""


def save(model, folder, name):
    """Save a network the way that its entry says; return where."""
    suffix = NETWORKS[name][1]
    path = folder / f"{name}{suffix}"
    if suffix:
        model.save(path)
    else:
        model.export(str(path), verbose=False)
    return path
