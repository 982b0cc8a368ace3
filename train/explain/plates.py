"""The pictures of the report, made from a model and a face: computed, drawn, and described."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_edge.preprocess import normalise_crop
from fer_edge.runtime import crop_shape
from fer_edge.train.explain import captions, figures
from fer_edge.train.explain.dream import FROM_FACE, FROM_NOISE, Ascent, dream, noise, stretched
from fer_edge.train.explain.gradients import grad_cam, pixel_gradient, smooth_gradient
from fer_edge.train.explain.keras_network import KerasNetwork
from fer_edge.train.explain.network import Layer, Network, find_layer, stages
from fer_edge.train.explain.occlusion import occlusion_map
from fer_edge.train.explain.pictures import Picture
from fer_edge.train.explain.report import Plate
from fer_edge.train.lettering import plottable
from fer_edge.train.progress import progress_bar

BEGINNINGS = 2
"""Dreams from noise for each class."""


def filters_plate(network: Network) -> Plate:
    """Show the filters of the first layer."""
    filters = network.filters()
    shown = min(len(filters.kernels), figures.MOST_FILTERS)
    caption = captions.filters_caption(filters, shown, converted=not isinstance(network, KerasNetwork))
    return _plate("filters", "", f"First-layer filters: {filters.layer}", caption, figures.filters_figure(filters))


def overview_plate(network: Network, picture: Picture) -> Plate:
    """Show the strongest channels of every convolution; of a network without any, the layer that has the filters."""
    layers = stages(network.layers)
    if not layers:
        return layer_plate(network, picture, find_layer(network, network.filters().layer))
    outputs = network.activations(picture.pixels, layers)
    caption = captions.overview_caption(layers, outputs)
    draw = figures.overview_figure(layers, outputs)
    return _plate("activations", picture.name, "Activation maps: the strongest channels", caption, draw)


def layer_plate(network: Network, picture: Picture, layer: Layer) -> Plate:
    """Show all of one layer's output."""
    (values,) = network.activations(picture.pixels, [layer])
    caption = captions.layer_caption(layer, values)
    draw = figures.layer_figure(layer, values)
    return _plate("activations", picture.name, f"Activations of {layer.name}", caption, draw, layer.name)


def saliency_plate(network: Network, picture: Picture, target: int, probability: float, reason: str) -> Plate:
    """Show what speaks for a class.

    Args:
        network: the model.
        picture: the face.
        target: index of the class.
        probability: what the model gives it, for the title.
        reason: why there are no gradients; empty if there are.
    """
    seen = normalise_crop(picture.pixels, network.info.contrast)
    gradient = class_map = None
    if not reason:
        assert isinstance(network, KerasNetwork)
        gradient = smooth_gradient(network.model, seen, target)
        class_map = grad_cam(network.model, seen, target)
    occlusion = occlusion_map(network.logits, picture.pixels, target)
    label = network.info.labels[target]
    missing = f"SmoothGrad and Grad-CAM are missing: they follow gradients, which {reason}." if reason else ""
    caption = captions.saliency_caption(
        label, gradients=gradient is not None, class_map=class_map is not None, missing=missing
    )
    draw = figures.saliency_figure(seen, gradient, class_map, occlusion)
    return _plate("saliency", picture.name, f"Saliency for {label} ({probability:.1%})", caption, draw, label)


def dream_plates(network: KerasNetwork, pictures: Sequence[Picture], classes: Sequence[int]) -> list[Plate]:
    """Show what raises each class, begun with noise, then with each picture."""
    shape = crop_shape(network.info)
    gradient = pixel_gradient(network.model)
    with progress_bar("dreaming", FROM_NOISE.steps + FROM_FACE.steps * len(pictures)) as advance:

        def climb(beginnings: Sequence[NDArray[np.float32]], ascent: Ascent) -> NDArray[np.float32]:
            start = np.repeat(np.stack(beginnings), len(classes), axis=0)
            targets = np.tile(np.array(classes, np.int64), len(beginnings))
            dreamt = dream(gradient, start, targets, ascent, advance)
            return dreamt.reshape(len(beginnings), len(classes), *shape)

        from_noise = climb([noise(shape, seed) for seed in range(BEGINNINGS)], FROM_NOISE)
        seen = [normalise_crop(picture.pixels, network.info.contrast) for picture in pictures]
        from_faces = [climb([face.astype(np.float32)], FROM_FACE)[0] for face in seen]
    rows = [_dream_row(network, f"noise {i}", stretched(row), classes) for i, row in enumerate(from_noise, 1)]
    title = "Dreams: what raises each class" if len(classes) > 1 else f"Dreams of {network.info.labels[classes[0]]}"
    plates = [_plate("dream", "", title, captions.noise_dream_caption(), figures.dream_figure(rows))]
    for picture, dreamt in zip(pictures, from_faces, strict=True):
        draw = figures.dream_figure([_dream_row(network, "", dreamt.round().astype(np.uint8), classes)])
        plates.append(_plate("dream", picture.name, "What each class would paint", captions.face_dream_caption(), draw))
    return plates


def _dream_row(
    network: Network, begun: str, pictures: NDArray[np.uint8], classes: Sequence[int]
) -> tuple[str, NDArray[np.uint8], list[str]]:
    scores = network.predict(pictures)[range(len(classes)), classes]
    labels = [plottable(network.info.labels[c]) for c in classes]
    return begun, pictures, [f"{label} {p:.0%}" for label, p in zip(labels, scores, strict=True)]


def _plate(kind: str, picture: str, title: str, caption: str, draw: figures.Draw, detail: str = "") -> Plate:
    # A layer's name may hold what a file name must not.
    parts = (picture, kind, "".join(c if c.isalnum() or c in "._-" else "_" for c in detail))
    file = "-".join(part for part in parts if part) + ".png"
    light, dark = (figures.render(draw, dark=dark) for dark in (False, True))
    return Plate(kind, picture, file, title, caption, light, dark)
