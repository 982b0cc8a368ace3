"""What each picture shows, and what it does not prove; plain text of one paragraph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_edge.train.explain.network import Filters, Layer


def filters_caption(filters: Filters, shown: int, *, converted: bool) -> str:
    """Describe the filters of the first layer, of which the `shown` largest are drawn."""
    count, height, width = filters.kernels.shape
    which = f"The {count} filters" if shown == count else f"The {shown} largest of {count} filters"
    folded = """Batch normalization is folded into the weights of a converted file, so their scale differs from that in
        the .keras file; where weights are stored in eight bits, they are shown times their scales."""
    return _flow(
        f"""{which} of {height}×{width} pixels in '{filters.layer}', the first layer. Red weights add a pixel's
        brightness, blue ones subtract it, so a filter that is red on one side and blue on the other answers to an
        edge. {folded if converted else ""} They do not show what the network makes of them: edges and spots are what
        nearly every network for pictures begins with, whatever it was trained for."""
    )


def overview_caption(layers: Sequence[Layer], outputs: Sequence[NDArray[np.float32]]) -> str:
    """Describe the strongest activation maps of each convolution."""
    silent = [
        (layer.name, int((~values.any(axis=(0, 1))).sum())) for layer, values in zip(layers, outputs, strict=True)
    ]
    counts = ", ".join(f"{count} of {name}" for name, count in silent if count) or "none"
    return _flow(
        f"""One row for each convolution, from the first to the last: the channels that answer most strongly to
        this picture, the strongest at the left; beside them stands how many of how many they are. Bright is a
        strong answer; each row has its own scale, whose end a few pixels pass. Early maps keep the outline of
        the face, later ones are coarse and answer to parts of it. Channels that stay silent for this picture:
        {counts}. A map says where a channel answers. It does not say what the channel stands for, nor that the
        decision needs it; a name such as 'the mouth channel' would be the viewer's."""
    )


def layer_caption(layer: Layer, values: NDArray[np.float32]) -> str:
    """Describe the whole output of one layer."""
    shape = "×".join(map(str, layer.shape))
    maps = ""
    if values.ndim == 3:
        silent = int((~values.any(axis=(0, 1))).sum())
        maps = f"""The number of a channel is that of its row plus that of its column; all have one scale.
            {silent} of {values.shape[2]} channels are zero everywhere."""
    return _flow(
        f"""All of the output of '{layer.name}' ({layer.kind}, {shape}) for this picture. {maps} It says how strongly
        the layer answers, and where it has places, but not why, nor whether the decision needs it."""
    )


def saliency_caption(label: str, *, gradients: bool, class_map: bool, missing: str) -> str:
    """Describe the saliency panels.

    Args:
        label: name of the class.
        gradients: whether SmoothGrad is there.
        class_map: whether Grad-CAM is there.
        missing: why neither is; empty if that needs no reason.
    """
    smooth = """SmoothGrad: how much the class's logit changes when a pixel changes a little, averaged over noisy
        copies; bright is much, in either direction."""
    cam = """Grad-CAM: where the last maps speak for the class. They are coarse and each of their cells sees much of the
        face, so neither borders nor a distance of a few pixels mean anything; the colour is relative to the strongest
        place, however weak that is."""
    disagree = "Where they disagree, covering is the one that measured the model's answer instead of estimating it."
    return _flow(
        f"""What in this picture speaks for '{label}'. {smooth if gradients else ""} {cam if class_map else ""}
        Occlusion: a grey square of a quarter of the side moves over the picture. Red is where covering lowers the
        class's logit, so that what is there speaks for the class; blue is where covering raises it.
        {disagree if gradients else ""} {missing} None of this proves that the model looks at the right thing for the
        right reason: maps by gradients can look convincing for networks with random weights (Adebayo et al. 2018,
        arXiv:1810.03292), and a grey square is something that the model never saw in training."""
    )


def noise_dream_caption() -> str:
    """Describe dreams that begin with noise."""
    return _flow(
        """Made from grey noise, step by step, so that the logit of one class rises; two beginnings, because much
        depends on chance. The number is the probability that the model gives the picture as it is shown, its contrast
        stretched. A dream exaggerates what pushes the model towards a class; it is not what the model expects a face to
        look like. That it looks smooth, and like a face at all, is owed in part to the restraint (small movements,
        mirroring, blur, total variation); without it the same numbers come from what looks like noise. And that the
        model is certain of pictures of nobody shows that a high probability does not mean 'this is a face'."""
    )


def face_dream_caption() -> str:
    """Describe dreams that begin with a face."""
    return _flow(
        """The same, begun with this picture: what would raise each class here. The number is the probability of that
        class afterwards. Changes of brows, lids, cheeks and mouth are what the model reads as the class; ripples that
        no face has, and that still count, are where it can be fooled. This shows the model, not the person: not what
        she or he would look like, and nothing about what anybody feels."""
    )


def _flow(text: str) -> str:
    return " ".join(text.split())
