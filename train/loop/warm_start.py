"""Training that begins with a trained model's weights: to go on with it, or to fine-tune it on other classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ModelFileError
from fer_edge.model_file import check_tflite, read_info
from fer_edge.train.keras_model import KerasModel, load_model
from fer_edge.train.loop.int8_weights import take_int8_weights

LAST = "logits"
"""The layer that belongs to the classes: it starts anew where they differ."""


def begin_with(
    classifier: Any, path: Path, labels: tuple[str, ...], images: NDArray[np.uint8], *, symmetric: bool
) -> None:
    """Give `classifier` the weights of the model in a file, ``.keras`` or int8 ``.tflite``.

    Where `labels` are not that model's, its last layer is not taken: features carry over, classes do not.

    Args:
        classifier: the model to be trained.
        path: the file.
        labels: its classes.
        images: uint8 N x S x S, as the network gets them; an int8 file has no statistics of batch norms any more.
        symmetric: whether the weights are to be tied in mirrored pairs.

    Raises:
        ModelFileError: no such file, one of another network, or one that is to become symmetric and is not.
        MissingExtraError: an int8 file, and the TFLite runtime's schema is not installed.
    """
    converted = path.suffix == ".tflite"
    if converted:
        check_tflite(path)
    trained = None if converted else load_model(path)
    info = trained.info if trained else read_info(path)
    if symmetric and not info.training.get("recipe", {}).get("symmetric"):
        raise ModelFileError(
            f"{path}: expected a symmetric network, as --symmetric makes, found one whose channels are no pairs; "
            "leave --symmetric out, or begin without it"
        )
    if trained:
        take_weights(classifier, trained, labels, path)
    else:
        take_int8_weights(classifier, path, images, last=labels == info.labels)


def take_weights(classifier: Any, trained: KerasModel, labels: tuple[str, ...], path: Path) -> None:
    """Give `classifier` the weights of the model `trained`, read from `path`, layer by layer.

    Where `labels` are not the trained model's, its last layer is not taken.

    Raises:
        ModelFileError: the file holds another network.
    """
    theirs = {layer.name: layer for layer in trained.model.layers if layer.weights}
    own = {layer.name: layer for layer in classifier.layers if layer.weights}

    def shapes(layers: dict[str, Any]) -> dict[str, Any]:
        return {name: [tuple(w.shape) for w in layer.weights] for name, layer in layers.items() if name != LAST}

    if shapes(own) != shapes(theirs):
        raise ModelFileError(
            f"{path}: expected the network that is to be trained, found another ({trained.info.name}); "
            "give the --model that made the file"
        )
    for name, layer in own.items():
        if name != LAST or labels == trained.info.labels:
            layer.set_weights(theirs[name].get_weights())
