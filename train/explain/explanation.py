"""The whole explanation of one model: its pictures and the report, written into a folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ModelFileError
from fer_edge.files import write_atomically
from fer_edge.train.data.spec import AUTO
from fer_edge.train.explain import plates
from fer_edge.train.explain.gradients import backend
from fer_edge.train.explain.keras_network import KerasNetwork
from fer_edge.train.explain.network import Network, find_class, find_layer
from fer_edge.train.explain.pictures import Picture, read_pictures
from fer_edge.train.explain.report import Plate, report_html
from fer_edge.train.explain.tflite_network import TFLiteNetwork

KINDS = ("filters", "activations", "saliency", "dream")
REPORT = "report.html"


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What was drawn.

    Attributes:
        network: the explained model.
        pictures: the faces it was shown.
        scores: float32 pictures x classes, its probabilities.
        plates: the pictures of the report.
    """

    network: Network
    pictures: tuple[Picture, ...]
    scores: NDArray[np.float32]
    plates: tuple[Plate, ...]


def explain_model(
    path: Path,
    files: Sequence[Path],
    kinds: Sequence[str],
    out: Path,
    *,
    layer: str | None = None,
    label: str | None = None,
    faces: str = AUTO,
) -> Explanation:
    """Draw what a model looks at, and write PNG files and ``report.html`` into a folder.

    Args:
        path: a ``.keras`` or ``.tflite`` file.
        files: pictures with a face each; none for the package's portrait.
        kinds: some of `KINDS`; none for all that the model allows.
        out: the folder, made if need be.
        layer: show all of this layer's output; None for the strongest channels of every convolution.
        label: explain this class; None for the predicted class of each picture, and dreams of all.
        faces: what to do with the pictures, see `read_pictures`.

    Raises:
        ModelFileError: not a model of fer-edge, an unknown layer or class, or dreams of a model without gradients.
        DataError: a picture that cannot be decoded.
    """
    network = open_network(path)
    reason = why_no_gradients(network)
    if reason and "dream" in kinds:
        raise ModelFileError(f"{path}: dreams follow gradients, which {reason}")
    chosen_layer = None if layer is None else find_layer(network, layer)
    target = None if label is None else find_class(network, label)
    info = network.info
    pictures = tuple(read_pictures(files, info.input_size, info.channels, faces, info.framing))
    scores = network.predict(np.stack([picture.pixels for picture in pictures]))
    out.mkdir(parents=True, exist_ok=True)  # before the work, which may take minutes
    drawn: list[Plate] = []
    for kind in kinds or [kind for kind in KINDS if kind != "dream" or not reason]:
        if kind == "filters":
            drawn.append(plates.filters_plate(network))
        elif kind == "activations" and chosen_layer is not None:
            drawn += [plates.layer_plate(network, picture, chosen_layer) for picture in pictures]
        elif kind == "activations":
            drawn += [plates.overview_plate(network, picture) for picture in pictures]
        elif kind == "saliency":
            for picture, row in zip(pictures, scores, strict=True):
                shown = int(row.argmax()) if target is None else target
                drawn.append(plates.saliency_plate(network, picture, shown, float(row[shown]), reason))
        elif isinstance(network, KerasNetwork):
            classes = range(len(network.info.labels)) if target is None else [target]
            drawn += plates.dream_plates(network, pictures, classes)
    for plate in drawn:
        write_atomically(out / plate.file, plate.light)
    write_atomically(out / REPORT, report_html(network, pictures, scores, drawn).encode(errors="replace"))
    return Explanation(network, pictures, scores, tuple(drawn))


def open_network(path: Path) -> Network:
    """Open a ``.keras`` or ``.tflite`` file, float files included.

    Raises:
        ModelFileError: neither, or not a model of fer-edge.
    """
    if path.suffix == ".keras":
        return KerasNetwork(path)
    if path.suffix == ".tflite":
        return TFLiteNetwork(path)
    raise ModelFileError(f"{path}: expected a .keras or .tflite file, found '{path.suffix or 'no suffix'}'")


def why_no_gradients(network: Network) -> str:
    """Return why a model has no gradients here, to follow the word 'which'; empty if it has."""
    if not isinstance(network, KerasNetwork):
        return "a .tflite file does not have; explain the .keras file it was made from"
    if backend() != "tensorflow":
        return f"need Keras on TensorFlow here, and it runs on '{backend()}'; set KERAS_BACKEND=tensorflow"
    return ""
