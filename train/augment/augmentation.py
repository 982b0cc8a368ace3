"""How strongly to augment: the settings, without the layers that follow them, so that ``--help`` needs no Keras."""

from __future__ import annotations

import dataclasses

from fer_edge.train.settings import SHARE, Range, check_settings, setting

_ZOOM = Range(0, 4)


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How strongly to augment; 0 (or False) switches an element off.

    Shares are of the images, but `mixup`'s and `cutmix`'s of the batches. What each element is, its field says.

    Raises:
        ConfigError: one is out of its range.
    """

    flip: bool = setting(True, "Mirror half of the images.")
    rotation: float = setting(12.0, "Turn images by up to this angle, in degrees.", within=Range(0, 180))
    # Evenly in the logarithm.
    scale: float = setting(0.2, "Zoom by up to this much: 0.2 draws factors from 1/1.2 to 1.2.", within=_ZOOM)
    # A cascade's boxes are looser than the crops of data sets.
    smaller: float = setting(0.0, "Make faces smaller by up to this much more: 0.2 by another 1/1.2.", within=_ZOOM)
    shift: float = setting(0.08, "Move images by up to this share of their side.", within=SHARE)
    contrast: float = setting(0.2, "Change contrast and brightness by up to this share of the range.", within=SHARE)
    glasses: float = setting(0.0, "Draw glasses in this share of the images.", within=SHARE)
    shear: float = setting(0.0, "Shear this share of the images sideways, much like a turned head.", within=SHARE)
    vignette: float = setting(0.0, "Darken the corners of this share of the images.", within=SHARE)
    sharpness: float = setting(0.0, "Sharpen this share of the images.", within=SHARE)
    light: float = setting(0.0, "Darken or over-expose this share of the images.", within=SHARE)
    blur: float = setting(0.0, "Blur this share of the images.", within=SHARE)
    noise: float = setting(0.0, "Add Gaussian noise to this share of the images.", within=SHARE)
    # Random erasing: Zhong et al. 2017, arXiv:1708.04896.
    erasing: float = setting(0.25, "Erase a rectangle in this share of the images.", within=SHARE)
    # With the batch in reverse order: mixup, Zhang et al. 2017, arXiv:1710.09412; CutMix, Yun et al. 2019,
    # arXiv:1905.04899.
    mixup: float = setting(0.15, "Mix the images of this share of the batches in pairs.", within=SHARE)
    cutmix: float = setting(
        0.0, "Paste rectangles of others into the images of this share of the batches.", within=SHARE
    )

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_settings(self)
