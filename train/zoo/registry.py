"""The model zoo: architecture names and what builds them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fer_edge.errors import DataError
from fer_edge.train.zoo import cnn_lstm, convnet, mobilenet, plain, vgg
from fer_edge.train.zoo.custom import read_network
from fer_edge.train.zoo.published import NETWORKS

INPUT_SIZE = 48
CUSTOM = "custom"
"""What a model from a YAML file is called, whatever the file's name."""


@dataclasses.dataclass(frozen=True)
class Architecture:
    """A model family of the zoo.

    Attributes:
        name: what the command line and model files call it.
        summary: one line for listings.
        build: (input size, classes, dropout rate) -> Keras model from pixels 0..255 to probabilities.
        input_size: side of the square input in pixels.
        description: of a network from a YAML file, so that run metadata can hold it; empty for those of the zoo.
        channels: of the input: 1 for grey, 3 for RGB.
    """

    name: str
    summary: str
    build: Callable[[int, int, float], Any]
    input_size: int = INPUT_SIZE
    description: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    channels: int = 1


def _plain(name: str, summary: str) -> Architecture:
    return Architecture(name, summary, functools.partial(plain.build, name))


def _vgg(name: str, cropped: int, summary: str) -> Architecture:
    return Architecture(name, summary, functools.partial(vgg.build, name, cropped))


def _mobilenet(name: str, size: int = mobilenet.INPUT_SIZE, channels: int = 1, width: float = 1.0) -> Architecture:
    build = functools.partial(mobilenet.build, name, channels, width)
    kind = "V2" if name == "mobilenet-v2" else "V3 small"
    return Architecture(
        name,
        f"MobileNet{kind} of Keras, grey or RGB, for ImageNet weights",
        build,
        size,
        channels=channels,
    )


def _published(name: str, summary: str) -> Architecture:
    return Architecture(name, summary, functools.partial(convnet.build, name, NETWORKS[name]))


_ALL = (
    _plain("nano", "six convolutions, some maps weighed, the smallest"),
    _plain("compact", "seven convolutions, some maps weighed, the default"),
    _plain("large", "eight wide convolutions, the most accurate"),
    _plain("teacher", "large, twice as wide, for the others to learn from"),
    _published("deep-cnn", "four wide convolutions, two dense layers (Jain; Khopkar and Saxena)"),
    Architecture("cnn-lstm", "five convolutions read by two LSTMs (Ioannou)", cnn_lstm.build),
    _vgg("vgg", 0, "eight convolutions, two dense layers of 4096 (Khaireddin and Chen)"),
    _vgg("vgg-40", 4, "vgg on the middle 40x40 pixels, as published"),
    _published("shallow-cnn", "two convolutions, one dense layer (Alizadeh and Fazel)"),
    _published("hog-cnn", "deep-cnn with HOG features joined in (Alizadeh and Fazel)"),
    _published("ffnn", "dense layers on the pixels, a baseline (Jain)"),
    *map(_mobilenet, mobilenet.MOBILENETS),
)

ZOO = {architecture.name: architecture for architecture in _ALL}
"""Name -> architecture."""


def find_architecture(
    model: str, size: int = mobilenet.INPUT_SIZE, channels: int = 1, width: float = 1.0
) -> Architecture:
    """Return the architecture of the zoo called `model`, or the one that the YAML file `model` describes.

    Args:
        model: its name, or the file's.
        size: side of a MobileNet's input in pixels.
        channels: of its input.
        width: factor on its channels.

    Raises:
        DataError: neither; or a YAML file that describes no network, with its line.
    """
    if model in mobilenet.MOBILENETS:
        return _mobilenet(model, size, channels, width)
    if model in ZOO:
        return ZOO[model]
    if not model.endswith((".yaml", ".yml")):
        raise DataError(f"'{model}': expected a model of the zoo ({', '.join(ZOO)}) or a .yaml file that describes one")
    network = read_network(Path(model), INPUT_SIZE)
    build = functools.partial(convnet.build, CUSTOM, network)
    return Architecture(CUSTOM, f"the network in {model}", build, description=dataclasses.asdict(network))
