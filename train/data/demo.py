"""A generated data set: drawn faces with the seven expressions, for trying everything without a download.

It stands in for FER2013 where none is at hand: same size, same classes, same split names. Drawn faces
are far easier than photographed ones, so an accuracy on them says that the tools work, and nothing
about real faces.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS
from fer_edge.train.data.dataset import PRIVATE_TEST, PUBLIC_TEST, SPLITS, TRAINING, Dataset, Split
from fer_edge.train.data.demo_face import SIZE, Actions, Face, View, draw_face

PROTOTYPES = {
    "angry": (4, 5, 7, 23),
    "disgust": (9, 15, 16),
    "fear": (1, 2, 4, 5, 20, 26),
    "happy": (6, 12),
    "sad": (1, 4, 15),
    "surprise": (1, 2, 5, 26),
    "neutral": (),
}
"""Expression -> action units of its prototype (Ekman & Friesen 1978, Facial Action Coding System)."""

SHARES = (0.14, 0.07, 0.14, 0.22, 0.15, 0.13, 0.15)
"""Share of each class, in the order of `EXPRESSIONS`: happy leads and disgust is rare, as in FER2013, but milder."""

GOLDEN_RATIO = (5**0.5 - 1) / 2


def make_demo(seed: int = 0, training: int = 4000, public_test: int = 700, private_test: int = 350) -> Dataset:
    """Draw the data set.

    The same seed gives the same faces: image i of a split depends on the seed, the split and i alone,
    so a smaller split is the beginning of a larger one.

    Args:
        seed: not negative.
        training: images in Training.
        public_test: images in PublicTest.
        private_test: images in PrivateTest; a split of none is left out.

    Raises:
        DataError: a negative size or seed.
        MissingExtraError: OpenCV is not installed.
    """
    sizes = {TRAINING: training, PUBLIC_TEST: public_test, PRIVATE_TEST: private_test}
    if seed < 0 or min(sizes.values()) < 0:
        raise DataError(f"demo: expected a seed and sizes of 0 or more, found seed {seed} and sizes {sizes}")
    splits = {name: _make_split(seed, number, size) for number, (name, size) in enumerate(sizes.items()) if size}
    return Dataset.make("demo", EXPRESSIONS, splits)


def _make_split(seed: int, number: int, size: int) -> Split:
    # Multiples of the golden ratio fill 0..1 evenly however many are taken, so every prefix has nearly `SHARES`.
    position = (np.arange(size) * GOLDEN_RATIO + number / len(SPLITS)) % 1
    labels = np.searchsorted(np.cumsum(SHARES)[:-1], position, side="right").astype(np.int64)
    images = np.empty((size, SIZE, SIZE), np.uint8)
    for index, label in enumerate(labels):
        images[index] = draw_sample(EXPRESSIONS[label], np.random.default_rng([seed, number, index]))
    return Split(images, labels, np.arange(size, dtype=np.int64))


def draw_sample(expression: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return one face, uint8 48 x 48, of a random person in a random place showing `expression`."""
    view = _random_view(rng)
    picture = draw_face(_random_face(rng), _random_actions(expression, rng), view)
    return _photograph(picture, view, rng)


def _random_actions(expression: str, rng: np.random.Generator) -> Actions:
    """Return the prototype of `expression` at a random strength, over the small actions of a face at rest."""
    resting = {name: rng.uniform(0, 0.15) for name in ("au1", "au2", "au4", "au7", "au12", "au15", "au25")}
    actions = {name: value for name, value in resting.items() if rng.random() < 0.4}
    strength = rng.uniform(0.35, 1.0)
    for unit in PROTOTYPES[expression]:
        actions[f"au{unit}"] = strength * rng.uniform(0.7, 1.0)
    if expression in ("happy", "disgust", "angry") and rng.random() < 0.5:
        actions["au25"] = strength * rng.uniform(0.5, 1.0)
    return Actions(**actions)


def _random_face(rng: np.random.Generator) -> Face:
    skin = rng.uniform(95, 225)
    return Face(
        half_width=rng.uniform(0.66, 0.82),
        jaw=rng.uniform(1.8, 2.9),
        skin=skin,
        hair=rng.uniform(12, 60) if rng.random() < 0.75 else rng.uniform(60, 210),
        background=rng.uniform(10, 245),
        hairline=rng.uniform(-1.1, -0.62),
        long_hair=bool(rng.random() < 0.4),
        brow_thickness=rng.uniform(0.05, 0.11),
        brow_y=rng.uniform(-0.38, -0.32),
        eye_x=rng.uniform(0.29, 0.35),
        eye_width=rng.uniform(0.15, 0.19),
        eye_height=rng.uniform(0.07, 0.095),
        iris=rng.uniform(15, min(90, skin * 0.6)),
        nose_y=rng.uniform(0.2, 0.28),
        nose_width=rng.uniform(0.12, 0.18),
        mouth_y=rng.uniform(0.5, 0.58),
        mouth_width=rng.uniform(0.26, 0.33),
        lip=rng.uniform(0.035, 0.075),
        lip_tone=rng.uniform(0.55, 0.85),
        beard=rng.uniform(0.2, 0.8) if rng.random() < 0.15 else 0.0,
        glasses=bool(rng.random() < 0.12),
    )


def _random_view(rng: np.random.Generator) -> View:
    return View(
        x=rng.normal(0, 0.03),
        y=rng.normal(0, 0.03),
        scale=rng.uniform(1.0, 1.25),
        roll=rng.normal(0, 0.10),
        yaw=rng.uniform(-0.35, 0.35),
        pitch=rng.uniform(-0.2, 0.2),
        shear=rng.normal(0, 0.05),
        light=rng.uniform(-1, 1),
    )


def _photograph(picture: NDArray[np.uint8], view: View, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the picture as a poor camera takes it: uneven light, blur, low contrast, noise."""
    axis = np.linspace(-1, 1, SIZE)
    light = 1 + rng.uniform(0, 0.35) * view.light * axis[None, :] - rng.uniform(-0.1, 0.3) * axis[:, None]
    image = picture * light
    for _ in range(rng.choice(3, p=(0.4, 0.4, 0.2))):
        image = _blur(_blur(image).T).T
    image = 128 + (image - 128) * rng.uniform(0.7, 1.1) + rng.uniform(-20, 20)
    image += rng.normal(0, rng.uniform(1, 8), image.shape)
    return np.clip(np.round(image), 0, 255).astype(np.uint8)


def _blur(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the picture smoothed along its rows with weights 1, 2, 1."""
    padded = np.pad(image, ((0, 0), (1, 1)), mode="edge")
    return (padded[:, :-2] + 2 * image + padded[:, 2:]) / 4
