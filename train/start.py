"""Training that begins with a trained model's weights: to go on with it, or to fine-tune it on other classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fer_edge.errors import ModelFileError
from fer_edge.train.keras_setup import KerasModel

LAST = "logits"
"""The layer that belongs to the classes: it starts anew where they differ."""


def take_weights(classifier: Any, trained: KerasModel, labels: tuple[str, ...], path: Path) -> None:
    """Give `classifier` the weights of the model `trained`, read from `path`, layer by layer.

    Where `labels` are not the trained model's, its last layer is not taken: features carry over, classes do not.

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
